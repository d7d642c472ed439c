"""The job of `maestro-ts experiment`: cells, then tables, summary and page of what is finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.experiments.across import across
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.cell import Cell
from maestro_ts.experiments.cell_file import read_cell
from maestro_ts.experiments.cell_runner import Verified, run_cells, verify
from maestro_ts.experiments.cell_work import Done, Source, Task
from maestro_ts.experiments.entrants import Entrant, entrant_of, installed, quick_of, recipe_of
from maestro_ts.experiments.environment import code_digest, versions
from maestro_ts.experiments.labelled import labelled_subjects
from maestro_ts.experiments.loading import LoadedData, shortened
from maestro_ts.experiments.paper_marks import paper_marks
from maestro_ts.experiments.pretrained_cell import pretrained_cell, pretraining_recipe
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.published import published
from maestro_ts.experiments.splits import Split, splits_of
from maestro_ts.experiments.summary import Entry, summarise
from maestro_ts.experiments.summary_files import write_summary
from maestro_ts.experiments.tempered import Lack, lacks_of
from maestro_ts.signals.windows import Windows

__all__ = ["ExperimentJob", "Planned", "about", "plan", "run_experiment", "verify_experiment"]

BUDGETS = ("full", "quick")


@dataclass(frozen=True)
class ExperimentJob:
    """What to do.

    Attributes
    ----------
    experiment : Experiment
    source : Source
    out : Path
        Folder of the cells and of what is made of them, each data set in its own below.
    models : tuple of str
        Entrants; without any, the experiment's own choice.
    seeds : tuple of int
    folds : tuple of int, or None
        Those of the division; None: all.
    split : str or None
        Kind of division; None: the data set's own.
    recipe : str
        Of the entrants that have none of their own.
    settings : mapping
        Changes for all entrants, with dotted keys.
    budget : {"full", "quick"}
        ``quick``: one fold, the first seed, 150 steps, fewer rates.
    engine, jobs
        See `signals.store.engine.engine_of`.
    """

    experiment: Experiment
    source: Source
    out: Path
    models: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int, ...] | None = None
    split: str | None = None
    recipe: str = "default"
    settings: Mapping[str, Any] = field(default_factory=dict)
    budget: str = "full"
    engine: str = "local"
    jobs: int | None = 1

    def __post_init__(self) -> None:
        if self.budget not in BUDGETS:
            raise ConfigError(f"there is no budget {self.budget!r}.", fix="Use quick or full.")


@dataclass(frozen=True)
class Planned:
    """All cells of a job: entrant → title and tasks, seeds outermost."""

    loaded: LoadedData
    splits: list[Split]
    tasks: dict[str, tuple[str, list[Task]]]

    @property
    def in_order(self) -> list[Task]:
        """Fold by fold, so that an interrupted job has whole folds of everybody."""
        each = [tasks for _, tasks in self.tasks.values()]
        return [task for same in zip(*each, strict=True) for task in same]

    def lacks(self) -> dict[int, Lack]:
        """What test windows lack under the conditions that have a rate."""
        (first, *_) = self.in_order
        windows = self.loaded.windows
        return lacks_of([windows[split.test] for split in self.splits], first.cell.conditions)


def plan(job: ExperimentJob, progress: Progress) -> Planned:
    """Which cells the job has; bad names and settings are refused before anything is computed."""
    quick = job.budget == "quick"
    names = job.models or installed(job.experiment.entrants, job.experiment.own)
    entrants = {n: entrant_of(n, job.experiment.own) for n in names}
    recipes = {
        n: recipe_of(
            n,
            job.experiment.own,
            job.recipe,
            {**(quick_of(entrant) if quick else {}), **job.settings},
        )
        for n, entrant in entrants.items()
    }
    loaded, data = job.source.load(progress)
    chosen = (0,) if quick and job.folds is None else job.folds
    splits = splits_of(loaded.card, loaded.windows, job.split, chosen)
    conditions = tuple(job.experiment.plan(loaded.windows.schema, quick))
    seeds = job.seeds[:1] if quick else job.seeds
    tasks: dict[str, tuple[str, list[Task]]] = {}
    for name, (title, recipe) in recipes.items():
        cells = [
            _task(
                job,
                Cell(
                    dataset=loaded.card.name,
                    windows=loaded.spec.values(),
                    data=data,
                    entrant=name,
                    recipe=recipe,
                    kind=split.kind,
                    split=split.text,
                    fold=split.fold,
                    of=split.of,
                    seed=seed,
                    conditions=conditions,
                    train_subjects=_labelled(entrants[name], loaded.windows, split, seed),
                    pretraining=pretraining_recipe(recipe) if entrants[name].pretrained else None,
                    groups=_groups(entrants[name], loaded.windows),
                    costs=job.experiment.costs,
                ),
            )
            for seed in seeds
            for split in splits
        ]
        tasks[name] = (title, cells)
    return Planned(loaded, splits, tasks)


def _labelled(
    entrant: Entrant, windows: Windows, split: Split, seed: int
) -> tuple[str, ...] | None:
    if entrant.labelled is None:
        return None
    # A generator of the seed alone: sets are nested, and the same for all entrants.
    rng = np.random.default_rng(seed)
    return labelled_subjects(windows, split.train, entrant.labelled, rng)


def _groups(entrant: Entrant, windows: Windows) -> tuple[tuple[str, ...], ...]:
    return () if entrant.groups is None else entrant.groups(windows.schema)


def _task(job: ExperimentJob, cell: Cell) -> Task:
    start = pretrained_cell(cell)
    before = None if start is None else _task(job, start)
    return Task(cell, job.source, cell.path(job.out), before)


def run_experiment(
    job: ExperimentJob, progress: Progress | None = None
) -> tuple[dict[str, Any], list[Done]]:
    """Compute what is missing, and make tables of the entrants whose cells are all there.

    Returns
    -------
    summary : dict
        See `summary.summarise`; it is in the data set's folder too, with tables and a page.
    failed : list of Done
        Cells that could not be computed.

    Raises
    ------
    RunError
        No entrant has all of its cells.
    """
    progress = progress or Progress()
    planned = plan(job, progress)
    failed = run_cells(planned.in_order, job.engine, job.jobs, progress)
    entries, lacking = _entries(planned)
    if not entries:
        raise RunError(
            f"no entrant has all of its cells; {failed[0].task.cell.title}: {failed[0].failure}",
            where=str(job.out),
        )
    summary = {
        "format": 1,
        "experiment": job.experiment.name,
        "title": job.experiment.title,
        "question": job.experiment.question,
        **about(job, planned),
        **summarise(entries, planned.loaded.card.positive, job.experiment.pairs, planned.lacks()),
        "published": published(planned.loaded.card.name),
        "notes": _notes(job, planned, entries, lacking),
    }
    marks = paper_marks(job.experiment.name, planned.loaded.card.name, summary)
    if marks:
        summary["marks"] = marks
    summary["across"] = across(job.out, summary)
    if job.experiment.ratios is not None:
        summary["ratios"] = job.experiment.ratios(summary)
    if job.experiment.by_labels is not None:
        summary["by_labels"] = job.experiment.by_labels(summary)
    write_summary(job.out / planned.loaded.card.name, summary, bool(job.experiment.cells_of))
    return summary, failed


def verify_experiment(job: ExperimentJob, progress: Progress | None = None) -> Verified:
    """Compute the quickest finished cell again; see `cell_runner.verify`."""
    return verify(plan(job, progress or Progress()).in_order)


def _entries(planned: Planned) -> tuple[list[Entry], list[str]]:
    entries, lacking = [], []
    for name, (title, tasks) in planned.tasks.items():
        if all(task.path.exists() for task in tasks):
            cells = [(t.cell.fold, t.cell.seed, read_cell(t.path)) for t in tasks]
            entries.append(Entry(name, title, cells))
        else:
            lacking.append(name)
    return entries, lacking


def about(job: ExperimentJob, planned: Planned) -> dict[str, Any]:
    """Data set, division, seeds and versions, as plain values."""
    loaded, windows = planned.loaded, planned.loaded.windows
    return {
        "dataset": {
            "name": loaded.card.name,
            "title": loaded.card.title,
            "task": loaded.card.task,
            "licence": loaded.card.licence,
            "windows": loaded.spec.values(),
            "n_windows": len(windows),
            "n_subjects": len({str(s) for s in windows.subjects}),
            "modalities": windows.schema.to_list(),
            "positive": loaded.card.positive,
        },
        "split": planned.splits[0].text,
        "folds": [s.fold for s in planned.splits],
        "folds_of": planned.splits[0].of,
        "train_subjects": [len(np.unique(windows.subjects[s.train])) for s in planned.splits],
        "seeds": list(job.seeds[:1] if job.budget == "quick" else job.seeds),
        "budget": job.budget,
        "settings": dict(job.settings),
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _notes(
    job: ExperimentJob, planned: Planned, entries: Sequence[Entry], lacking: Sequence[str]
) -> list[str]:
    notes = [n for n in (*shortened(planned.loaded.notes), planned.loaded.distrusted) if n]
    if job.budget == "quick":
        notes.append(
            "Quick budget: at most 150 training steps, fewer rates, one seed, and one fold unless "
            "more are asked for. It shows that everything runs, not how good anything is."
        )
    if lacking:
        notes.append(f"Left out, since cells are missing: {', '.join(lacking)}.")
    trees = [cell.tree["made"] for entry in entries for _, _, cell in entry.cells]
    older = sum(made["code"] != code_digest() for made in trees)
    if older:
        notes.append(
            f"{older} of {len(trees)} cells were computed by another state of the code; "
            "--verify tells whether the numbers are still the same."
        )
    return notes
