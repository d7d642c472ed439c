"""Fitted models beside the results of experiments that look inside: one folder for each.

A run is named like the cell with everything present, of the same fold, seed and recipe, and is the
same model; experiments whose recipe agrees share it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from maestro_ts.contract.registry import build_front_end
from maestro_ts.errors import DataError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.experiments.catalogue.look import Opened
from maestro_ts.experiments.cell_work import Task, run_task
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.splits import splits_of
from maestro_ts.experiments.started_from import subjects_seen
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import replacing

__all__ = ["as_run", "fit_run", "opened"]


def as_run(task: Task) -> Task:
    """The task of a cell, with the folder of its fitted model as what it writes."""
    return replace(task, path=task.path.with_suffix(""))


def opened(task: Task, *, trained: bool) -> Opened:
    """The model of a task and its test windows; without a network where none is trained."""
    train, test = _divided(task)
    cell = task.cell
    if trained:
        clf = MaestroClassifier.load(task.path)
        classes = [str(c) for c in clf.classes_]
        return Opened(cell.fold, cell.seed, clf.front_end_, clf.network_.eval(), classes, test)
    classes = np.unique(np.asarray(train.labels).astype(str)).tolist()
    return Opened(
        cell.fold, cell.seed, build_front_end(cell.recipe).fit(train), None, classes, test
    )


def _fit(task: Task) -> None:
    from threadpoolctl import threadpool_limits

    train, _ = _divided(task)
    cell = task.cell
    # One thread, as a cell is fitted: a sum over threads may be rounded otherwise the next time.
    with threadpool_limits(1):
        clf = MaestroClassifier(recipe=cell.recipe, random_state=cell.seed, n_threads=1).fit(train)
    subjects = sorted({str(s) for s in train.subjects})
    Path(task.path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(task.path, overwrite=True) as run:
        clf.write(
            run,
            {
                "dataset": cell.dataset,
                "determined_by": cell.determined_by(),
                **subjects_seen(None, cell.dataset, subjects),
            },
        )


fit_run = partial(run_task, compute=_fit)


def _divided(task: Task) -> tuple[Windows, Windows]:
    """Windows for training and for the test."""
    cell = task.cell
    loaded, data = task.source.load(Progress())
    if data != cell.data:
        raise DataError("the data has changed since the experiment began.", fix="Start it anew.")
    (split,) = splits_of(loaded.card, loaded.windows, cell.kind, [cell.fold])
    return loaded.windows[split.train], loaded.windows[split.test]
