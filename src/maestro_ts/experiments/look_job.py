"""The job of an experiment that looks inside: fit what is not there, look, write what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, RunError
from maestro_ts.experiments.catalogue.look import Look
from maestro_ts.experiments.cell_runner import computed
from maestro_ts.experiments.cell_work import Done, Task
from maestro_ts.experiments.experiment_job import ExperimentJob, about, plan
from maestro_ts.experiments.fitted_run import as_run, fit_run, opened
from maestro_ts.experiments.loading import shortened
from maestro_ts.experiments.progress import Progress
from maestro_ts.report.blocks import Section
from maestro_ts.report.look_page import look_markdown, render_look

__all__ = ["run_look"]


def run_look(
    job: ExperimentJob, progress: Progress | None = None
) -> tuple[dict[str, Any], list[Section], list[Done]]:
    """Fit the models that are not there yet, look into each, and write numbers, tables and page.

    Returns
    -------
    summary : dict
        Data set, division, versions and ``found``; it is in the data set's folder too.
    sections : list of Section
        Of the page.
    failed : list of Done
        Models that could not be fitted.

    Raises
    ------
    ConfigError
        More than one entrant, or one that has nothing of what is looked for.
    RunError
        No model could be fitted.
    """
    progress, look = progress or Progress(), job.experiment.look
    assert look is not None
    planned = plan(job, progress)
    if len(planned.tasks) != 1:
        raise ConfigError(
            f"{job.experiment.name} looks into one model, got {', '.join(planned.tasks)}.",
            fix="Name one with --models.",
        )
    ((name, (title, cells)),) = planned.tasks.items()
    recipe = cells[0].cell.recipe
    if recipe.model_kind != "maestro":
        raise ConfigError(
            f"{job.experiment.name} looks into MAESTRO, not into {recipe.model_kind}.",
            fix="Use --models maestro.",
        )
    if look.check is not None:
        look.check(recipe)
    tasks = [as_run(task) for task in cells]
    failed = _fitted(tasks, job, progress) if look.trained else []
    lost = {done.task.path for done in failed}
    there = [task for task in tasks if task.path not in lost]
    if not there:
        raise RunError(f"no model was fitted; {failed[0].task.cell.title}: {failed[0].failure}")
    summary = {
        "format": 1,
        "experiment": job.experiment.name,
        "title": job.experiment.title,
        "question": job.experiment.question,
        **about(job, planned),
        "entrant": {
            "name": name,
            "title": title,
            "recipe": recipe.model_dump(mode="json"),
        },
        "runs": [_of(task, look) for task in there],
        "found": _found(there, look, progress),
        "notes": _notes(job, planned.loaded.notes, planned.loaded.distrusted, failed),
    }
    sections = look.sections(summary)
    folder = job.out / planned.loaded.card.name
    _write(folder / job.experiment.name, summary, sections)
    return summary, sections, failed


def _fitted(tasks: Sequence[Task], job: ExperimentJob, progress: Progress) -> list[Done]:
    missing = [task for task in tasks if not task.path.exists()]
    if len(missing) < len(tasks):
        progress.note(f"{len(tasks) - len(missing)} of {len(tasks)} models are fitted already")
    return computed(missing, "models", job.engine, job.jobs, progress, fit_run)


def _found(tasks: Sequence[Task], look: Look, progress: Progress) -> dict[str, Any]:
    each, schema = [], None
    for count, task in enumerate(tasks, start=1):
        seen = opened(task, trained=look.trained)
        schema = seen.front_end.schema
        each.append({"fold": seen.fold, "seed": seen.seed, **look.at(seen)})
        progress.update("looking", count, len(tasks))
    assert schema is not None
    return look.joined(each, schema)


def _of(task: Task, look: Look) -> dict[str, Any]:
    run = {"run": task.path.name} if look.trained else {}
    return {"fold": task.cell.fold, "seed": task.cell.seed, **run}


def _notes(
    job: ExperimentJob, refused: Sequence[str], distrusted: str, failed: Sequence[Done]
) -> list[str]:
    notes = [n for n in (*shortened(refused), distrusted) if n]
    if job.budget == "quick" and job.experiment.look and job.experiment.look.trained:
        notes.append(
            "Quick budget: at most 150 training steps, one seed, and one fold unless more are "
            "asked for. A model that has learned so little has little inside."
        )
    notes += [f"Left out: {d.task.cell.title}: {d.failure}" for d in failed]
    return notes


def _write(stem: Path, summary: dict[str, Any], sections: Sequence[Section]) -> None:
    write_text(stem.with_suffix(".json"), json.dumps(summary, indent=1, allow_nan=False) + "\n")
    write_text(stem.with_suffix(".md"), look_markdown(summary, sections))
    write_text(stem.with_suffix(".html"), render_look(summary, sections))
