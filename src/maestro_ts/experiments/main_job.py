"""The main job: files of a data set → trained model, results under missing sensors, report."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, DataError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.calibration_scores import score_calibration
from maestro_ts.evaluation.protocol import RATES, Condition, Outcome, conditions, evaluate, pool
from maestro_ts.evaluation.results import Results, summarise
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.experiments.costs import cost_of
from maestro_ts.experiments.cross_fitting import calibrate_run
from maestro_ts.experiments.example import symbol_example
from maestro_ts.experiments.loading import LoadedData, load_data, shortened
from maestro_ts.experiments.model_card import model_card
from maestro_ts.experiments.prediction_table import write_outcomes
from maestro_ts.experiments.progress import Progress
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.report.page import write_report
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.split import split_by_source, subject_folds
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import Run

__all__ = [
    "RATES",
    "Job",
    "class_numbers",
    "fingerprint",
    "held_out",
    "retest",
    "run_job",
    "tested_again",
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

    def __post_init__(self) -> None:
        if self.folds is not None and self.folds < 2:
            raise ConfigError(f"folds must be 2 or more, got {self.folds}.")


def run_job(job: Job, progress: Progress | None = None) -> Results:
    """Train, test under missing sensors, write the run folder; returns the results."""
    progress = progress or Progress()
    top = Run(job.out)
    _check_settings(job, top)
    top.check(resume=job.resume, overwrite=job.overwrite)
    loaded = load_data(job.dataset, job.data, job.windows, progress, distrust=job.distrust_scale)
    windows = loaded.windows
    splits, _ = _splits(job, loaded)
    # Only now, when the data is known to be good, is an old run replaced.
    top.begin(resume=job.resume, overwrite=job.overwrite)
    top.save_settings(job.recipe)
    chosen = range(len(splits)) if job.cross_validate else range(1)
    plan = conditions(windows.schema, job.rates, job.modes)
    tested, fitted = [], []
    for k in chosen:
        run = Run(job.out / f"fold-{k}") if job.cross_validate else top
        train, test = splits[k]
        clf = _fitted(job, loaded, run, train, test, f"fold {k + 1}", progress)
        if job.calibrate is not None and clf.calibration_ is None:
            calibrate_run(
                run, clf, windows[train], folds=job.calibrate, seed=job.seed, progress=progress
            )
        tested.append(_test(clf, windows[test], plan, progress))
        fitted.append(clf)
    if job.cross_validate:  # every fold is a run of its own, with results that can be tested anew
        alone = replace(job, cross_validate=False)
        for k, clf, outcomes in zip(chosen, fitted, tested, strict=True):
            own = _results(alone, loaded, splits, [k], [clf], [outcomes])
            _write(Run(job.out / f"fold-{k}"), own, outcomes, clf.classes_)
    results = _results(job, loaded, splits, list(chosen), fitted, tested)
    _write(top, results, pool(tested), fitted[0].classes_)
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
    clf: MaestroClassifier,
    old: Results,
    loaded: LoadedData,
    test: Windows,
    rates: Sequence[float],
    modes: Sequence[str],
    progress: Progress,
) -> Results:
    """The same for what `held_out` found."""
    outcomes = _test(clf, test, conditions(test.schema, rates, modes), progress)
    results = summarise(
        outcomes,
        [outcomes],
        about=old.about | {"created": _now()},
        classes=old.classes,
        schema=test.schema,
        rates=rates,
        positive=loaded.card.positive,
    )
    results.cost, results.example, results.training = old.cost, old.example, old.training
    results.calibration = score_calibration([outcomes], [clf.calibration_])
    _write(Run(folder), results, outcomes, clf.classes_)
    return results


def held_out(
    folder: Path, data: Path | None, progress: Progress
) -> tuple[MaestroClassifier, Results, LoadedData, Windows]:
    """A finished run, what was found with it, its data, and the windows of its test subjects."""
    run = Run(folder)
    if run.results.exists() and Results.load(run.results).about.get("cross_validated"):
        raise ConfigError(f"{folder} holds several runs.", fix=f"Name one: {folder}/fold-0.")
    clf = MaestroClassifier.load(folder)
    old = Results.load(run.results)
    distrust = old.about.get("distrust_scale", False)
    loaded = load_data(*_source(old.about, data), _spec(old.about), progress, distrust=distrust)
    held = np.isin(loaded.windows.subjects, old.about["subjects_test"])
    test = loaded.windows[np.flatnonzero(held)]
    if not len(test):
        raise DataError("none of the run's test subjects is in this data.", where=str(data))
    return clf, old, loaded, test


# --------------------------------------------------------------------- steps


def _check_settings(job: Job, top: Run) -> None:
    """A resumed run must have been started with the same recipe."""
    if job.resume and job.overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.", fix="Give one of them.")
    if job.resume and top.settings.exists() and load_recipe(top.settings) != job.recipe:
        raise RunError(
            "the run was started with other settings.",
            where=str(top.settings),
            fix="Resume with the same recipe and --set, or start anew with --overwrite.",
        )


def _splits(job: Job, loaded: LoadedData) -> tuple[Splits, str]:
    """Training and test windows of every fold, and how they were chosen."""
    parts, windows = loaded.card.owners_split, loaded.windows
    if job.folds is None and parts is not None and not job.cross_validate:
        split = split_by_source(windows.sources, windows.subjects, parts)
        return [split], f"the owners': {parts[0]} trains, {parts[1]} tests"
    folds = job.folds or FOLDS
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
) -> MaestroClassifier:
    """Fit one fold, or read it when it is finished already."""
    origin = {
        "dataset": loaded.card.name,
        "seed": job.seed,
        "subjects_test": _names(loaded.windows[test]),
        "windows_train": fingerprint(loaded.windows[train]),
    }
    if loaded.layout is not None:  # with it, files without a schema of their own can be predicted
        origin["layout"] = loaded.layout
    if loaded.distrust_scale:
        origin["distrust_scale"] = True
    if job.resume and run.finished:
        _check_origin(run, origin)
        progress.note(f"{title}: finished already")
        return MaestroClassifier.load(run.folder, device=job.device)
    run.folder.mkdir(parents=True, exist_ok=True)
    clf = MaestroClassifier(
        recipe=job.recipe,
        random_state=job.seed,
        device=job.device,
        n_threads=job.n_threads,
        callbacks=[progress.training(title)],
    )
    clf.fit(loaded.windows[train], run=run, resume=job.resume)
    clf.write(run, origin)
    run.finish()
    return clf


def fingerprint(windows: Windows) -> str:
    """Which windows these are: their identities and lengths, in order."""
    digest = hashlib.blake2b(windows.ids.tobytes(), digest_size=8)
    digest.update(windows.duration_s.tobytes())
    return digest.hexdigest()


def _check_origin(run: Run, origin: dict[str, Any]) -> None:
    """A finished fold is taken only if it came from the same seed, split and windows."""
    stored = json.loads(run.schema.read_text())
    decisive = {"distrust_scale": False} | origin
    other = [k for k, value in decisive.items() if stored.get(k, False) != value]
    if other:
        raise RunError(
            f"this finished run differs in {', '.join(other)}.",
            where=str(run.folder),
            fix="Resume with the same data, windows, folds and seed, or use --overwrite.",
        )


def _test(
    clf: MaestroClassifier, windows: Windows, plan: Sequence[Condition], progress: Progress
) -> list[Outcome]:
    truth = class_numbers(clf.classes_, windows)
    return evaluate(
        clf.explain,
        windows,
        truth,
        plan,
        lambda done, total: progress.update("testing", done, total),
    )


def class_numbers(classes: NDArray[Any], windows: Windows) -> NDArray[np.int64]:
    """Labels as numbers; a class that training never saw is refused by name."""
    assert windows.labels is not None
    unknown = sorted(set(windows.labels.tolist()) - set(classes.tolist()))
    if unknown:
        raise DataError(
            f"test windows have classes that no training subject has: {', '.join(unknown)}.",
            fix="Use fewer folds.",
        )
    return np.searchsorted(classes, windows.labels).astype(np.int64)


def _results(
    job: Job,
    loaded: LoadedData,
    splits: Splits,
    chosen: Sequence[int],
    fitted: Sequence[MaestroClassifier],
    tested: Sequence[Sequence[Outcome]],
) -> Results:
    first = fitted[0]
    train, test = splits[chosen[0]]
    windows = loaded.windows
    held = np.isin(windows.subjects[train], first.validation_subjects_)
    cost = cost_of(first.front_end_, first.network_, windows[test])
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
        "split": _splits(job, loaded)[1],
        "folds": [int(k) for k in chosen],
        "cross_validated": job.cross_validate,
        "n_train": int((~held).sum()),
        "n_validation": int(held.sum()),
        "n_test": sum(len(splits[k][1]) for k in chosen),
        "subjects_validation": first.validation_subjects_,
        "subjects_test": sorted({s for k in chosen for s in _names(windows[splits[k][1]])}),
        "seed": job.seed,
        "parameters": cost["parameters"],
        "versions": _versions(),
        "created": _now(),
        "notes": [n for n in (*shortened(loaded.notes), loaded.distrusted) if n],
    }
    results = summarise(
        pool(tested),
        tested,
        about=about,
        classes=[str(c) for c in first.classes_],
        schema=windows.schema,
        rates=job.rates,
        positive=loaded.card.positive,
    )
    results.cost = cost
    results.calibration = score_calibration(tested, [clf.calibration_ for clf in fitted])
    shown = windows[test]
    assert shown.labels is not None
    row = int(np.argmax(shown.present.sum(axis=1)))
    results.example = symbol_example(first.front_end_, shown, str(shown.labels[row]))
    results.training = [
        {"fold": int(k), "log": clf.training_log_} for k, clf in zip(chosen, fitted, strict=True)
    ]
    return results


def _write(run: Run, results: Results, outcomes: Sequence[Outcome], classes: NDArray[Any]) -> None:
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


def _versions() -> dict[str, str]:
    found = {"maestro-ts": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "?"
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
