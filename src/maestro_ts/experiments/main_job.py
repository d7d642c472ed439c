"""The main job: files of a data set → trained model, results under missing sensors, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, DataError
from maestro_ts.estimator import load
from maestro_ts.evaluation.calibration_scores import score_calibration
from maestro_ts.evaluation.protocol import RATES, Condition, Outcome, conditions, evaluate, pool
from maestro_ts.evaluation.results import Results
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.experiments import started_from
from maestro_ts.experiments.costs import cost_of
from maestro_ts.experiments.cross_fitting import calibrate_run
from maestro_ts.experiments.environment import versions
from maestro_ts.experiments.example import symbol_example
from maestro_ts.experiments.learned import (
    Estimator,
    calibrations,
    classes_of,
    classifier,
    estimator_for,
    summarised,
    truth_of,
)
from maestro_ts.experiments.loading import LoadedData, load_data, shortened
from maestro_ts.experiments.model_card import model_card
from maestro_ts.experiments.prediction_table import write_outcomes
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.resuming import check_origin, check_settings, fingerprint
from maestro_ts.recipe import Recipe
from maestro_ts.report.page import write_report
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.split import split_by_source, subject_folds
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.ranks import Ranks
from maestro_ts.training.run import Run
from maestro_ts.training.start import Start

__all__ = [
    "RATES",
    "Job",
    "held_out",
    "retest",
    "run_job",
    "splits_of",
    "tested_again",
    "unfitted",
]

MODES = ("modality", "segment")
FOLDS = 5

Splits = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


@dataclass(frozen=True)
class Job:
    """What to do.

    Attributes
    ----------
    dataset : str
        Name of a published data set, path of a folder or zip with a ``schema.yaml``, or a window
        store.
    data : Path or None
        Archive, folder or window store of a published set; None for one that comes with a package.
    out : Path
        Run folder; with `cross_validate` it holds one run folder per fold.
    recipe : Recipe
    folds : int or None
        Folds by subject; the first is the test unless `cross_validate`. None: the owners' own
        split where the data set has one, else five.
    cross_validate : bool
        Train and test all folds and pool them.
    windows : WindowSpec, WindowChanges or None
        How to cut, or what to change of the data set's own way; None: nothing.
    distrust_scale : bool
        Take stretches of another scale as missing.
    init : Path or None
        Run to start from.
    add_modalities, freeze
        See `MaestroClassifier`.
    calibrate : int or None
        Folds of the training subjects on which every run is calibrated; None: it is not.
    """

    dataset: str
    data: Path | None
    out: Path
    recipe: Recipe
    folds: int | None = None
    cross_validate: bool = False
    seed: int = 0
    rates: tuple[float, ...] = RATES
    modes: tuple[str, ...] = MODES
    windows: WindowSpec | WindowChanges | None = None
    distrust_scale: bool = False
    calibrate: int | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "cpu"
    n_threads: int | None = None
    init: Path | None = None
    add_modalities: tuple[str, ...] = ()
    freeze: bool = False

    def __post_init__(self) -> None:
        if self.folds is not None and self.folds < 2:
            raise ConfigError(f"folds must be 2 or more, got {self.folds}.")


def run_job(job: Job, progress: Progress | None = None) -> Results:
    """Train, test under missing sensors, write the run folder; returns the results."""
    progress = progress or Progress()
    top = Run(job.out)
    check_settings(job.recipe, top, resume=job.resume, overwrite=job.overwrite)
    start = _start(job)
    started_from.check_resumed(job.out, start, resume=job.resume)
    top.check(resume=job.resume, overwrite=job.overwrite)
    loaded = load_data(job.dataset, job.data, job.windows, progress, distrust=job.distrust_scale)
    windows = loaded.windows
    splits, _ = splits_of(loaded, job.folds, cross_validate=job.cross_validate)
    chosen = range(len(splits)) if job.cross_validate else range(1)
    if start is not None:
        start.joined(windows)
        for k in chosen:
            note = started_from.seen_before(start, loaded.card.name, _names(windows[splits[k][1]]))
            if note:
                progress.note(note)
    # Only now, when the data is known to be good, is an old run replaced.
    top.begin(resume=job.resume, overwrite=job.overwrite)
    top.save_settings(job.recipe)
    started_from.keep_origin(job.out, start)
    plan = conditions(windows.schema, job.rates, job.modes)
    tested, fitted = [], []
    for k in chosen:
        run = Run(job.out / f"fold-{k}") if job.cross_validate else top
        train, test = splits[k]
        clf = _fitted(job, loaded, run, train, test, f"fold {k + 1}", progress)
        if job.calibrate is not None and calibrations([clf]) == [None]:
            known = classifier(clf, "calibration")
            calibrate_run(
                run, known, windows[train], folds=job.calibrate, seed=job.seed, progress=progress
            )
        tested.append(_test(clf, windows[test], plan, progress))
        fitted.append(clf)
    if job.cross_validate:  # every fold is a run of its own, with results that can be tested anew
        alone = replace(job, cross_validate=False)
        for k, clf, outcomes in zip(chosen, fitted, tested, strict=True):
            own = _results(alone, loaded, splits, [k], [clf], [outcomes])
            _write(Run(job.out / f"fold-{k}"), own, outcomes, classes_of(clf))
    results = _results(job, loaded, splits, list(chosen), fitted, tested)
    _write(top, results, pool(tested), classes_of(fitted[0]))
    return results


def retest(
    folder: Path,
    data: Path | None,
    rates: Sequence[float],
    modes: Sequence[str],
    progress: Progress | None = None,
) -> Results:
    """Test a finished run anew at other rates and modes; its results and report are replaced."""
    progress = progress or Progress()
    clf, old, loaded, test = held_out(folder, data, progress)
    return tested_again(folder, clf, old, loaded, test, rates, modes, progress)


def tested_again(
    folder: Path,
    clf: Estimator,
    old: Results,
    loaded: LoadedData,
    test: Windows,
    rates: Sequence[float],
    modes: Sequence[str],
    progress: Progress,
) -> Results:
    """The same for what `held_out` found."""
    outcomes = _test(clf, test, conditions(test.schema, rates, modes), progress)
    about = old.about | {"created": _now()}
    results = summarised([clf], outcomes, [outcomes], loaded, about=about, rates=rates)
    results.cost, results.example, results.training = old.cost, old.example, old.training
    results.calibration = score_calibration([outcomes], calibrations([clf]))
    _write(Run(folder), results, outcomes, classes_of(clf))
    return results


def held_out(
    folder: Path, data: Path | None, progress: Progress
) -> tuple[Estimator, Results, LoadedData, Windows]:
    """A finished run, what was found with it, its data, and the windows of its test subjects."""
    run = Run(folder)
    if run.results.exists() and Results.load(run.results).about.get("cross_validated"):
        raise ConfigError(f"{folder} holds several runs.", fix=f"Name one: {folder}/fold-0.")
    clf = load(folder)
    old = Results.load(run.results)
    distrust = old.about.get("distrust_scale", False)
    loaded = load_data(*_source(old.about, data), _spec(old.about), progress, distrust=distrust)
    held = np.isin(loaded.windows.subjects, old.about["subjects_test"])
    test = loaded.windows[np.flatnonzero(held)]
    if not len(test):
        raise DataError("none of the run's test subjects is in this data.", where=str(data))
    return clf, old, loaded, test


# --------------------------------------------------------------------- steps


def _start(job: Job) -> Start | None:
    return Start.of(job.init, job.recipe, job.add_modalities, freeze=job.freeze)


def splits_of(
    loaded: LoadedData, folds: int | None, *, cross_validate: bool = False
) -> tuple[Splits, str]:
    """Training and test windows of every fold, and how they were chosen."""
    parts, windows = loaded.card.owners_split, loaded.windows
    if folds is None and parts is not None and not cross_validate:
        split = split_by_source(windows.sources, windows.subjects, parts)
        return [split], f"the owners': {parts[0]} trains, {parts[1]} tests"
    folds = folds or FOLDS
    text = f"GroupKFold({folds}, shuffle=True, random_state=0) by subject"
    return subject_folds(windows.subjects, folds), text


def _fitted(
    job: Job,
    loaded: LoadedData,
    run: Run,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    title: str,
    progress: Progress,
) -> Estimator:
    """Fit one fold, or read it when it is finished already."""
    origin = {
        "dataset": loaded.card.name,
        "seed": job.seed,
        "subjects_test": _names(loaded.windows[test]),
        "windows_train": fingerprint(loaded.windows[train]),
    }
    start = _start(job)
    if start is not None:
        origin["init"] = started_from.origin_of(start)
    if loaded.layout is not None:  # with it, files without a schema of their own can be predicted
        origin["layout"] = loaded.layout
    if loaded.distrust_scale:
        origin["distrust_scale"] = True
    if loaded.spec.baseline_s is not None:  # the windows are the same, what is in them is not
        origin["baseline_s"] = loaded.spec.baseline_s
    if job.resume and run.finished:
        check_origin(run, origin)
        progress.note(f"{title}: finished already")
        return load(run.folder, device=job.device)
    run.folder.mkdir(parents=True, exist_ok=True)
    clf = unfitted(job, loaded, [progress.training(title)])
    Ranks.current().from_first(train)  # what the other processes, if any, train along on
    clf.fit(loaded.windows[train], run=run, resume=job.resume)
    seen = started_from.subjects_seen(start, loaded.card.name, _names(loaded.windows[train]))
    clf.write(run, origin | seen)
    run.finish()
    return clf


def unfitted(job: Job, loaded: LoadedData, callbacks: Sequence[Callback] = ()) -> Estimator:
    """The estimator that is fitted to each fold."""
    return estimator_for(loaded.card)(
        recipe=job.recipe,
        random_state=job.seed,
        device=job.device,
        n_threads=job.n_threads,
        callbacks=callbacks,
        init=job.init,
        add_modalities=job.add_modalities,
        freeze=job.freeze,
    )


def _test(
    clf: Estimator, windows: Windows, plan: Sequence[Condition], progress: Progress
) -> list[Outcome]:
    truth = truth_of(clf, windows)
    return evaluate(
        clf.explain,
        windows,
        truth,
        plan,
        lambda done, total: progress.update("testing", done, total),
    )


def _results(
    job: Job,
    loaded: LoadedData,
    splits: Splits,
    chosen: Sequence[int],
    fitted: Sequence[Estimator],
    tested: Sequence[Sequence[Outcome]],
) -> Results:
    first = fitted[0]
    train, test = splits[chosen[0]]
    windows = loaded.windows
    held = np.isin(windows.subjects[train], first.validation_subjects_)
    shown = windows[test].with_schema(first.schema_)
    cost = cost_of(first.front_end_, first.network_, shown)
    start, noted = _start(job), ""
    tests = sorted({s for k in chosen for s in _names(windows[splits[k][1]])})
    if start is not None:
        noted = started_from.seen_before(start, loaded.card.name, tests)
    about = {
        "dataset": loaded.card.name,
        **({} if loaded.layout is None else {"source": job.dataset}),
        "title": loaded.card.title,
        "task": loaded.card.task,
        "licence": loaded.card.licence,
        "recipe": job.recipe.name,
        "settings": job.recipe.model_dump(mode="json"),
        "windows": loaded.spec.values(),
        **({"distrust_scale": True} if loaded.distrust_scale else {}),
        **({} if start is None else {"started_from": started_from.told(start)}),
        "split": splits_of(loaded, job.folds, cross_validate=job.cross_validate)[1],
        "folds": [int(k) for k in chosen],
        "cross_validated": job.cross_validate,
        "n_train": int((~held).sum()),
        "n_validation": int(held.sum()),
        "n_test": sum(len(splits[k][1]) for k in chosen),
        "subjects_validation": first.validation_subjects_,
        "subjects_test": tests,
        "seed": job.seed,
        "parameters": cost["parameters"],
        "versions": versions(),
        "created": _now(),
        "notes": [n for n in (noted, *shortened(loaded.notes), loaded.distrusted) if n],
    }
    results = summarised(fitted, pool(tested), tested, loaded, about=about, rates=job.rates)
    results.cost = cost
    results.calibration = score_calibration(tested, calibrations(fitted))
    assert shown.labels is not None
    row = int(np.argmax(shown.present.sum(axis=1)))
    results.example = symbol_example(first.front_end_, shown, str(shown.labels[row]))
    results.training = [
        {"fold": int(k), "log": clf.training_log_} for k, clf in zip(chosen, fitted, strict=True)
    ]
    return results


def _write(
    run: Run, results: Results, outcomes: Sequence[Outcome], classes: NDArray[Any] | None
) -> None:
    write_outcomes(run.predictions, outcomes, classes)
    results.save(run.results)
    write_text(run.card, model_card(results))
    write_report(results, run.report, SensorFile.load(run.sensors))


def _source(about: dict[str, Any], data: Path | None) -> tuple[str, Path | None]:
    """What a run was trained on; a folder of one's own may lie elsewhere now."""
    if "source" not in about:
        return about["dataset"], data
    return str(data or about["source"]), None


def _spec(about: dict[str, Any]) -> WindowSpec:
    return WindowSpec(**about["windows"])


def _names(windows: Windows) -> list[str]:
    return sorted({str(s) for s in windows.subjects})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
