"""Export a run's model and measure what was written: size, agreement, time of one window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from maestro_ts.deploy.export import Agreement, Format, export_run, runner_of
from maestro_ts.experiments.cost_job import Timing, timed
from maestro_ts.experiments.export_accuracy import AccuracyRow, compare_on_data, read_tested
from maestro_ts.experiments.progress import Progress

__all__ = ["ExportReport", "export_and_time"]


@dataclass(frozen=True)
class ExportReport:
    """Figures of an export.

    Attributes
    ----------
    file : Path
    bytes : int
    agreement : Agreement
    window : Timing
        Of one window with every modality present, from what the file takes to logits.
    threads : int
    accuracy : list of AccuracyRow
        On the run's test windows; empty without data.
    """

    file: Path
    bytes: int
    agreement: Agreement
    window: Timing
    threads: int
    accuracy: list[AccuracyRow]


def export_and_time(
    folder: Path,
    out: Path,
    format: Format,
    *,
    samples: bool = False,
    int8: bool = False,
    overwrite: bool = False,
    data: Path | None = None,
    progress: Progress | None = None,
    rounds: int = 5,
) -> ExportReport:
    """See `deploy.export.export_run`; then time one window in the file's runtime.

    With `data`, the run's data set, both are tested on the run's test windows.
    """
    # Before the export, which takes half a minute: data that cannot be read are told of first.
    tested = None if data is None else read_tested(folder, data, progress or Progress())
    done = export_run(folder, out, format, samples=samples, int8=int8, overwrite=overwrite)
    threads = torch.get_num_threads()
    run = runner_of(done.file, threads)
    window = [x[:1].contiguous() for x in done.golden.given]
    timing = timed(partial(run, window), rounds)
    rows = [] if tested is None else compare_on_data(tested, run, done.graph)
    return ExportReport(done.file, done.bytes, done.agreement, timing, threads, rows)
