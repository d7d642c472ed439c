"""Search for settings: trials on validation subjects, within the training part of a fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, MissingExtraError, RunError
from maestro_ts.experiments.learned import estimator_for
from maestro_ts.experiments.loading import LoadedData, load_data
from maestro_ts.experiments.main_job import splits_of
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.resuming import fingerprint
from maestro_ts.experiments.search_space import Range, drawn
from maestro_ts.recipe import Recipe
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback, EpochReport

__all__ = ["Found", "SearchJob", "run_search"]

SHARE = 0.25  # of the training subjects, where the recipe itself holds none out
STARTUP = 5  # trials that are never stopped early


@dataclass(frozen=True)
class SearchJob:
    """What to do.

    Attributes
    ----------
    dataset, data, windows, folds
        See `main_job.Job`; the test subjects of the first fold are not looked at.
    out : Path
        Folder of ``trials.journal`` (optuna's storage), ``best.yaml`` and ``trials.json``.
    recipe : Recipe
        What is not searched.
    space : mapping
        Dotted setting → range.
    trials : int
        All together, those of an interrupted search included.
    seed : int
        Of every trial, so that they differ in their settings alone.
    """

    dataset: str
    data: Path | None
    out: Path
    recipe: Recipe
    space: Mapping[str, Range]
    trials: int
    folds: int | None = None
    windows: WindowChanges | None = None
    seed: int = 0
    device: str = "cpu"
    n_threads: int | None = None


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    measure : {"macro-F1", "MAE"}
        What the trials are scored by, on the validation subjects.
    trials : list of dict
        Every trial's number, state (complete, pruned or fail), score and settings.
    """

    measure: str
    trials: list[dict[str, Any]]

    @property
    def ranked(self) -> list[dict[str, Any]]:
        """The trials that were trained to their end, the best first."""
        ended = [trial for trial in self.trials if trial["state"] == "complete"]
        return sorted(ended, key=lambda t: t["score"], reverse=self.measure == "macro-F1")


def run_search(job: SearchJob, progress: Progress | None = None) -> Found:
    """Try settings, keep every trial, write the best as a recipe; an interrupted search goes on.

    Raises
    ------
    MissingExtraError
        optuna is not installed.
    RunError
        `out` holds another search, or no trial was finished.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError.of("optuna", "hpo", "search") from error
    progress = progress or Progress()
    loaded = load_data(job.dataset, job.data, job.windows, progress)
    splits, text = splits_of(loaded, job.folds)
    train = loaded.windows[splits[0][0]]
    larger = loaded.card.target is None
    study = _study(optuna, job, larger, {**_identity(job, train), "split": text})
    counted = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = sum(trial.state in counted for trial in study.trials)
    for number in range(done, job.trials):
        # By their number: a search that goes on does not repeat proposals.
        study.sampler = optuna.samplers.TPESampler(seed=job.seed + len(study.trials))
        study.optimize(
            lambda trial: _score(job, loaded, train, trial, optuna.TrialPruned, progress),
            n_trials=1,
            catch=(RunError,),  # a loss that became infinite speaks against these settings alone
        )
        last = study.trials[-1]
        progress.note(f"trial {number + 1}: {last.state.name.lower()}, {last.value}")
        progress.update("trials", number + 1, job.trials)
    return _written(job, study, "macro-F1" if larger else "MAE")


def _study(optuna: Any, job: SearchJob, larger: bool, identity: dict[str, Any]) -> Any:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    job.out.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal.JournalFileBackend(str(job.out / "trials.journal"))
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name="maestro-ts",
        direction="maximize" if larger else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
        load_if_exists=True,
    )
    stored = study.user_attrs.get("identity", identity)
    other = sorted(key for key in identity if stored.get(key) != identity[key])
    if other:
        raise RunError(
            f"another search lies here: it differs in {', '.join(other)}.",
            where=str(job.out),
            fix="Choose another --out, or search with the same.",
        )
    study.set_user_attr("identity", identity)
    return study


def _identity(job: SearchJob, train: Windows) -> dict[str, Any]:
    """What must be the same when a search is gone on with, as JSON gives it back."""
    space = {key: found.model_dump(mode="json") for key, found in job.space.items()}
    return {
        "windows": fingerprint(train),
        "recipe": job.recipe.model_dump(mode="json"),
        "space": space,
        "seed": job.seed,
    }


def _score(
    job: SearchJob,
    loaded: LoadedData,
    train: Windows,
    trial: Any,
    pruned: type[Exception],
    progress: Progress,
) -> float:
    """Train with the trial's settings; the validation score of the weights that would be kept."""
    kept = job.recipe.training.validation_share
    recipe = job.recipe.override({"training.validation_share": kept or SHARE})
    recipe = recipe.override(drawn(job.space, trial))
    watch = _Watch(trial, pruned)
    title = f"trial {trial.number + 1}"
    model = estimator_for(loaded.card)(
        recipe=recipe,
        random_state=job.seed,
        device=job.device,
        n_threads=job.n_threads,
        callbacks=[progress.training(title), watch],
    )
    model.fit(train)
    if not watch.scores:
        raise ConfigError("there are no subjects to validate on.", fix="Use more than one subject.")
    # Without validation subjects of its own a recipe keeps its last weights, whatever they score.
    return watch.best if kept else watch.scores[-1]


class _Watch(Callback):
    """Tell the trial every validation score, and stop where optuna sees no hope."""

    def __init__(self, trial: Any, pruned: type[Exception]) -> None:
        self.trial, self.pruned = trial, pruned
        self.scores: list[float] = []
        self.best = 0.0

    def on_epoch(self, report: EpochReport) -> None:
        f1, mae = report.validation_f1, report.validation_mae
        score = mae if f1 is None else f1
        if score is None:
            return
        self.scores.append(score)
        if report.best:
            self.best = score
        self.trial.report(score, report.epoch)
        if self.trial.should_prune():
            raise self.pruned


def _written(job: SearchJob, study: Any, measure: str) -> Found:
    trials: list[dict[str, Any]] = [
        {
            "number": trial.number + 1,
            "state": trial.state.name.lower(),
            "score": trial.value,
            "settings": trial.params,
        }
        for trial in study.trials
    ]
    found = Found(measure, trials)
    if not found.ranked:
        raise RunError("no trial was finished.", where=str(job.out), fix="Use more --trials.")
    best = {"name": f"{job.recipe.name}-searched", **found.ranked[0]["settings"]}
    write_text(job.out / "trials.json", json.dumps(trials, indent=1) + "\n")
    write_text(job.out / "best.yaml", job.recipe.override(best).to_yaml())
    return found
