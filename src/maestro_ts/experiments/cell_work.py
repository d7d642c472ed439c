"""The computation of a cell: load, fit, test under every condition, write the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, MaestroError
from maestro_ts.evaluation.protocol import NOISE, evaluate
from maestro_ts.experiments.cell import Cell, fingerprint
from maestro_ts.experiments.cell_costs import cell_costs
from maestro_ts.experiments.cell_file import write_cell
from maestro_ts.experiments.cell_model import fit_model
from maestro_ts.experiments.environment import code_digest, machine, versions
from maestro_ts.experiments.loading import LoadedData, load_data
from maestro_ts.experiments.pretrained_cell import write_pretrained
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.splits import Split, splits_of
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows

__all__ = ["Done", "Source", "Task", "run_task"]


@dataclass(frozen=True)
class Source:
    """Where windows come from; another process can load the same."""

    dataset: str
    data: Path | None
    asked: WindowSpec | WindowChanges | None = None
    distrust: bool = False

    def load(self, progress: Progress) -> tuple[LoadedData, str]:
        """The data and its fingerprint; those of the last source are kept for its next cell."""
        for source, loaded, data in _kept:
            if source == self:
                return loaded, data
        loaded = load_data(self.dataset, self.data, self.asked, progress, distrust=self.distrust)
        _kept[:] = [(self, loaded, fingerprint(loaded.windows))]
        return loaded, _kept[0][2]


@dataclass(frozen=True)
class Task:
    """A cell, where its windows come from, the file it is written to, and what must be there."""

    cell: Cell
    source: Source
    path: Path
    start: Task | None = None


@dataclass(frozen=True)
class Done:
    """What became of a task; `failure` says why there is no file."""

    task: Task
    seconds: float = 0.0
    failure: str = ""


_kept: list[tuple[Source, LoadedData, str]] = []


def run_task(task: Task, compute: Callable[[Task], None] | None = None) -> Done:
    """Compute a cell, or something else of it; what goes wrong is told, so that others go on."""
    began = time.perf_counter()
    try:
        (compute or _compute)(task)
    except MaestroError as error:
        return Done(task, failure=str(error))
    except Exception as error:  # a rival's package raises what it likes
        return Done(task, failure=f"{type(error).__name__}: {error}")
    return Done(task, seconds=time.perf_counter() - began)


def _compute(task: Task) -> None:
    from threadpoolctl import threadpool_limits

    cell = task.cell
    loaded, data = task.source.load(Progress())
    if data != cell.data:
        raise DataError("the data has changed since the experiment began.", fix="Start it anew.")
    windows = loaded.windows
    (split,) = splits_of(loaded.card, windows, cell.kind, [cell.fold])
    if cell.unlabelled:
        with threadpool_limits(1):
            write_pretrained(task.path, cell, windows[split.train])
        return
    if task.start is not None and not task.start.path.exists():
        _compute(task.start)
    start = None if task.start is None else task.start.path
    classes = np.unique(np.asarray(windows.labels).astype(str))
    train, test = windows[_training_rows(cell, split, windows)], windows[split.test]
    # One thread: a sum over threads may be rounded otherwise from one run to the next.
    with threadpool_limits(1):
        began, worked = time.perf_counter(), time.process_time()
        model = fit_model(cell, train, classes, start)
        fitted = time.perf_counter()
        truth = np.searchsorted(classes, np.asarray(test.labels).astype(str)).astype(np.int64)
        noisy = any(c.mode in NOISE for c in cell.conditions)
        levels = Levels.of(train) if noisy else None
        outcomes = evaluate(model.predict, test, truth, cell.conditions, levels=levels)
        tested, used = time.perf_counter(), time.process_time() - worked
        costs = {}
        if cell.costs and model.single is not None:
            costs = {"costs": cell_costs(model.single, test, cell.conditions)}
    made = {
        "fit_seconds": round(fitted - began, 2),
        "test_seconds": round(tested - fitted, 2),
        "cpu_seconds": round(used, 2),
        "threads": 1,
        "parameters": model.parameters,
        "versions": versions(),
        "machine": machine(),
        "code": code_digest(),
        **({} if start is None else {"started_from": start.name}),
        **costs,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_cell(task.path, cell, outcomes, classes.tolist(), len(train), made)


def _training_rows(cell: Cell, split: Split, windows: Windows) -> NDArray[np.intp]:
    if cell.train_subjects is None:
        return split.train
    kept = np.isin(windows.subjects[split.train], cell.train_subjects)
    if not kept.any():
        raise DataError("none of the asked training subjects is in this division.")
    return split.train[kept]
