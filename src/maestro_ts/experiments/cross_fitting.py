"""Calibration of a trained run on people that a network of its kind was not trained on."""

from __future__ import annotations

from functools import partial

import numpy as np

from maestro_ts.errors import DataError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.calibration import ask_held_out, fit_calibration
from maestro_ts.evaluation.protocol import Outcome, pool
from maestro_ts.experiments.prediction_table import write_outcomes
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.split import subject_folds
from maestro_ts.signals.windows import Windows
from maestro_ts.training.labels import class_numbers, labels_of
from maestro_ts.training.run import Run

__all__ = ["CALIBRATION_FOLDS", "calibrate_run"]

CALIBRATION_FOLDS = 3


def calibrate_run(
    run: Run,
    clf: MaestroClassifier,
    windows: Windows,
    *,
    folds: int | None,
    seed: int,
    progress: Progress,
) -> None:
    """Calibrate a fitted model on its training subjects and keep that in the run folder.

    Validation subjects were not trained on and are used as they are, if nothing else is asked for.
    Otherwise networks with the run's settings are trained on folds of the subjects, each says what
    it thinks of those left out (Vovk 2015, "Cross-conformal predictors"), and all of them are taken
    for what the run's own network, which has seen more people, would say of new ones.

    Parameters
    ----------
    run : Run
    clf : MaestroClassifier
        Its `calibration_` is set.
    windows : Windows
        What the run was trained on, those for the selection of weights included.
    folds : int or None
        Folds by subject; None: validation subjects, or three folds where there are none.
    seed : int
        Of the networks.
    """
    if folds is None and clf.validation_subjects_:
        held = np.flatnonzero(np.isin(windows.subjects, clf.validation_subjects_))
        outcomes = _asked(clf, clf, windows[held], "calibrating", progress)
        source = "validation subjects"
    else:
        n = folds or CALIBRATION_FOLDS
        parts = [
            _fold(clf, windows, train, held, seed, f"calibration fold {k + 1} of {n}", progress)
            for k, (train, held) in enumerate(subject_folds(windows.subjects, n))
        ]
        outcomes, source = pool(parts), f"{n} folds of the training subjects"
    clf.calibration_ = fit_calibration(outcomes, clf.schema_.names, source)
    write_outcomes(run.calibration_table, outcomes, clf.classes_)
    clf.calibration_.save(run.calibration)


def _fold(
    clf: MaestroClassifier,
    windows: Windows,
    train: np.ndarray,
    held: np.ndarray,
    seed: int,
    title: str,
    progress: Progress,
) -> list[Outcome]:
    other = MaestroClassifier(
        recipe=clf.recipe_,
        random_state=seed,
        device=clf.device,
        n_threads=clf.n_threads,
        callbacks=[progress.training(title)],
    ).fit(windows[train])
    lacking = sorted(set(clf.classes_.tolist()) - set(other.classes_.tolist()))
    if lacking:
        raise DataError(
            f"without the subjects of {title} no window has the class "
            f"{', '.join(map(str, lacking))}.",
            fix="Ask for more folds.",
        )
    return _asked(clf, other, windows[held], title, progress)


def _asked(
    clf: MaestroClassifier,
    other: MaestroClassifier,
    windows: Windows,
    title: str,
    progress: Progress,
) -> list[Outcome]:
    truth = class_numbers(labels_of(windows, None), clf.classes_)
    return ask_held_out(other.explain, windows, truth, partial(progress.update, title))
