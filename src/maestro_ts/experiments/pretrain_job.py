"""Pre-training: a source, with labels or without → a run folder that `fit --init` starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.experiments.loading import LoadedData, load_data
from maestro_ts.experiments.main_job import splits_of
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.resuming import check_origin, check_settings, fingerprint
from maestro_ts.experiments.started_from import subjects_seen
from maestro_ts.recipe import Recipe
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.training.device import device_of, threads
from maestro_ts.training.pretrain import ALONE, pretrain
from maestro_ts.training.run import Run

__all__ = ["PretrainJob", "run_pretrain"]


@dataclass(frozen=True)
class PretrainJob:
    """What to do.

    Attributes
    ----------
    source, data, out, recipe, windows, distrust_scale, resume, overwrite, device, n_threads
        See `main_job.Job`; the curriculum of the recipe says what is hidden.
    subjects : tuple of str
        Learn from these alone; all if empty.
    fold : int or None
        From 0: leave out the test subjects that ``fit`` with the same `folds` has in this fold.
    folds : int or None
        As in `main_job.Job`.
    """

    source: str
    data: Path | None
    out: Path
    recipe: Recipe
    subjects: tuple[str, ...] = ()
    fold: int | None = None
    folds: int | None = None
    seed: int = 0
    windows: WindowChanges | None = None
    distrust_scale: bool = False
    resume: bool = False
    overwrite: bool = False
    device: str = "cpu"
    n_threads: int | None = None

    def __post_init__(self) -> None:
        if self.folds is not None and self.fold is None:
            raise ConfigError("--folds is given without --fold.", fix="Say which: --fold 0.")
        if self.subjects and self.fold is not None:
            raise ConfigError("--subjects and --fold exclude each other.", fix="Give one of them.")


def run_pretrain(job: PretrainJob, progress: Progress | None = None) -> str:
    """Learn without labels and write the run folder; returns one sentence about it."""
    progress = progress or Progress()
    run = Run(job.out)
    job = replace(job, recipe=job.recipe.override(ALONE))
    check_settings(job.recipe, run, resume=job.resume, overwrite=job.overwrite)
    run.check(resume=job.resume, overwrite=job.overwrite)
    device = device_of(job.device)
    loaded = load_data(
        job.source, job.data, job.windows, progress, distrust=job.distrust_scale, labelled=False
    )
    windows = loaded.windows[_rows(job, loaded)]
    name = loaded.card.name
    subjects = sorted({str(s) for s in windows.subjects})
    origin: dict[str, Any] = {
        "pretrained": True,
        "dataset": name,
        "seed": job.seed,
        "windows_train": fingerprint(windows),
    }
    if job.resume and run.finished:
        check_origin(run, origin)
        progress.note("finished already")
        return _sentence(len(windows), subjects, name)
    run.begin(resume=job.resume, overwrite=job.overwrite)
    run.save_settings(job.recipe)
    with threads(job.n_threads):
        found = pretrain(
            windows,
            job.recipe,
            seed=job.seed,
            device=device,
            callbacks=[progress.training("without labels")],
            state_path=run.state,
            resume=job.resume,
        )
    run.save_log(found.log)
    told = _sentence(len(windows), subjects, name)
    write_text(run.card, _card(told, subjects, found.log))
    seen = subjects_seen(None, name, subjects, labelled=False)
    duration_s = float(np.median(windows.duration_s))
    extra = origin | {"duration_s": duration_s, "windows": loaded.spec.values()} | seen
    no_classes: NDArray[np.str_] = np.array([], dtype="U1")
    run.save_model(job.recipe, windows.schema, no_classes, found.front_end, found.network, extra)
    run.finish()
    return told


def _rows(job: PretrainJob, loaded: LoadedData) -> NDArray[np.intp]:
    """Windows to learn from."""
    names = loaded.windows.subjects
    if job.fold is not None:
        return np.flatnonzero(~np.isin(names, _tested(job, job.fold)))
    known = sorted({str(s) for s in names})
    for subject in job.subjects:
        if subject not in known:
            raise DataError(f"no subject {subject!r}.", fix=nearest(subject, known))
    return np.flatnonzero(np.isin(names, job.subjects or known))


def _tested(job: PretrainJob, fold: int) -> NDArray[np.str_]:
    """Subjects that `fit` tests in a fold: folds are made of the labelled subjects alone."""
    # What is refused has been told already.
    labelled = load_data(job.source, job.data, job.windows, Progress(), distrust=job.distrust_scale)
    splits, _ = splits_of(labelled, job.folds)
    if fold >= len(splits):
        raise ConfigError(f"--fold lies in 0 … {len(splits) - 1}, got {fold}.")
    return labelled.windows.subjects[splits[fold][1]]


def _sentence(windows: int, subjects: Sequence[str], dataset: str) -> str:
    people = f"{len(subjects)} subject{'s' if len(subjects) != 1 else ''}"
    return f"Pre-trained without labels on {windows:,} windows of {people} of {dataset}"


def _card(told: str, subjects: Sequence[str], log: Sequence[dict[str, Any]]) -> str:
    first, last = log[0]["loss"], log[-1]["loss"]
    return (
        f"# MAESTRO without labels\n\n{told}. It predicts nothing yet: "
        "`maestro-ts fit … --init` starts from it.\n\n"
        f"- Subjects: {', '.join(subjects)}. A test on any of them is not one on unseen people.\n"
        f"- Loss over hidden symbols (Huber, in deviations): {first:.3f} in the first epoch, "
        f"{last:.3f} in the last\n"
    )
