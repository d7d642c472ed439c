"""Export a run's model and measure what was written: size, agreement, time of one window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from maestro_ts.deploy.export import Agreement, Format, export_run, runner_of
from maestro_ts.experiments.cost_job import Timing, timed

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
        Of one window with every modality present, symbols to logits.
    threads : int
    """

    file: Path
    bytes: int
    agreement: Agreement
    window: Timing
    threads: int


def export_and_time(
    folder: Path,
    out: Path,
    format: Format,
    *,
    int8: bool = False,
    overwrite: bool = False,
    rounds: int = 5,
) -> ExportReport:
    """See `deploy.export.export_run`; then time one window in the file's runtime."""
    done = export_run(folder, out, format, int8=int8, overwrite=overwrite)
    threads = torch.get_num_threads()
    run = runner_of(done.file, threads)
    window = [x[:1].contiguous() for x in done.graph.arguments(done.golden)]
    return ExportReport(
        done.file, done.bytes, done.agreement, timed(partial(run, window), rounds), threads
    )
