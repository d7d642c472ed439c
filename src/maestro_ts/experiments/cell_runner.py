"""All cells of an experiment: finished ones are left alone, the others computed side by side."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from maestro_ts.errors import RunError
from maestro_ts.experiments.cell_file import read_cell
from maestro_ts.experiments.cell_work import Done, Task, run_task
from maestro_ts.experiments.environment import code_digest
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.store.engine import engine_of

__all__ = ["Verified", "computed", "run_cells", "verify"]


@dataclass(frozen=True)
class Verified:
    """A finished cell that was computed again."""

    name: str
    seconds: float
    same: bool
    same_code: bool


def run_cells(
    tasks: Sequence[Task], engine: str, jobs: int | None, progress: Progress
) -> list[Done]:
    """Compute what is not finished; returns those that failed.

    What several cells start from is made first, once; those whose start failed are not tried.
    An interruption leaves all finished cells; the next call goes on with the others.
    """
    missing = [task for task in tasks if not task.path.exists()]
    if len(tasks) > len(missing):
        progress.note(f"{len(tasks) - len(missing)} of {len(tasks)} cells are finished already")
    starts = {t.start.path: t.start for t in missing if t.start and not t.start.path.exists()}
    lost = {
        done.task.path: done.failure
        for done in computed(list(starts.values()), "pre-trainings", engine, jobs, progress)
    }
    failed, possible = [], []
    for task in missing:
        if task.start is not None and task.start.path in lost:
            failed.append(Done(task, failure=f"its pre-training: {lost[task.start.path]}"))
        else:
            possible.append(task)
    return failed + computed(possible, "cells", engine, jobs, progress)


def computed(
    tasks: Sequence[Task],
    what: str,
    engine: str,
    jobs: int | None,
    progress: Progress,
    work: Callable[[Task], Done] = run_task,
) -> list[Done]:
    """Compute tasks and tell of each; returns those that failed."""
    failed = []
    for count, done in enumerate(_done(tasks, engine, jobs, work), start=1):
        cell = done.task.cell
        if done.failure:
            failed.append(done)
            progress.note(f"{cell.title}: FAILED: {done.failure}")
        else:
            progress.note(f"{cell.title}: {done.seconds:.0f} s")
        progress.update(what, count, len(tasks))
    return failed


def _done(
    tasks: Sequence[Task], engine: str, jobs: int | None, work: Callable[[Task], Done]
) -> Iterator[Done]:
    found = engine_of(engine, jobs)
    if found is None or not tasks:  # a cluster is not started for nothing
        yield from map(work, tasks)
        return
    with _one_thread():
        try:
            yield from found.run(work, iter(tasks))
        except RunError as error:  # what a cell raises is told in its `Done`
            died = "a process that computed a cell died; was there enough memory?"
            raise RunError(
                error.what if engine == "ray" else died,
                where=error.where if engine == "ray" else "",
                fix="Finished cells are kept: run it again with fewer --jobs.",
            ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes begun meanwhile have one thread each: they would fight for the cores."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def verify(tasks: Sequence[Task]) -> Verified:
    """Compute the quickest finished cell again and compare every number.

    Raises
    ------
    RunError
        Nothing is finished, or the cell cannot be computed any more.
    """
    finished = [(task, read_cell(task.path)) for task in tasks if task.path.exists()]
    if not finished:
        raise RunError("no cell is finished.", fix="Run the experiment without --verify first.")
    task, old = min(finished, key=lambda pair: float(pair[1].tree["made"]["cpu_seconds"]))
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / task.path.name
        done = run_task(replace(task, path=again))
        if done.failure:
            raise RunError(f"cannot be computed again: {done.failure}", where=str(task.path))
        new = read_cell(again)
    same_code = old.tree["made"]["code"] == code_digest()
    return Verified(task.path.name, done.seconds, old.same_numbers(new), same_code)
