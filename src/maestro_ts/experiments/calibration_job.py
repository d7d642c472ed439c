"""A finished run and its data → the same run with calibrated probabilities and sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from maestro_ts.errors import DataError
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments.cross_fitting import calibrate_run
from maestro_ts.experiments.learned import classifier
from maestro_ts.experiments.loading import LoadedData
from maestro_ts.experiments.main_job import held_out, tested_again
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.resuming import fingerprint
from maestro_ts.signals.split import split_by_source
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import Run

__all__ = ["calibrate_files"]


def calibrate_files(
    folder: Path, data: Path | None, *, folds: int | None = None, progress: Progress | None = None
) -> Results:
    """Calibrate a run on its training subjects, then test it anew as it was tested.

    Parameters
    ----------
    folder : Path
        Run folder; gets ``calibration.json`` and ``calibration.parquet``, its results and report
        are replaced.
    data : Path or None
        Archive, folder or window store of its data set.
    folds : int, optional
        See `cross_fitting.calibrate_run`.
    """
    progress = progress or Progress()
    model, old, loaded, test = held_out(folder, data, progress)
    clf = classifier(model, "calibration")
    train = _trained_on(Run(folder), old, loaded, data)
    calibrate_run(Run(folder), clf, train, folds=folds, seed=old.about["seed"], progress=progress)
    modes = dict.fromkeys(
        "modality" if s["mode"] == "pattern" else str(s["mode"]) for s in old.scores
    )
    rates = sorted({float(row["rate"]) for row in (*old.curve, *old.scores)})
    return tested_again(folder, clf, old, loaded, test, rates, tuple(modes), progress)


def _trained_on(run: Run, old: Results, loaded: LoadedData, data: Path | None) -> Windows:
    """The windows of the run's training subjects, those for the selection of weights included."""
    windows, parts = loaded.windows, loaded.card.owners_split
    found = [np.flatnonzero(~np.isin(windows.subjects, old.about["subjects_test"]))]
    if parts is not None:
        found.append(split_by_source(windows.sources, windows.subjects, parts)[0])
    stored = json.loads(run.schema.read_text()).get("windows_train")
    for rows in found:
        if fingerprint(windows[rows]) == stored:
            return windows[rows]
    raise DataError(
        "the windows are not those that the run was trained on.",
        where=str(data or loaded.card.name),
        fix="Give the data of the run, read as it was then.",
    )
