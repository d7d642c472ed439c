"""Search for settings: trials on validation subjects, within the training part of a fold."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.errors import MissingExtraError, RunError
from maestro_ts.experiments.cell_work import Source
from maestro_ts.experiments.main_job import splits_of
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.resuming import fingerprint
from maestro_ts.experiments.search_space import Range, drawn
from maestro_ts.experiments.search_trial import Trial, Watch, run_trial, score_trial
from maestro_ts.recipe import Recipe
from maestro_ts.signals.store.engine import Engine, engine_of
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows

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
    engine, jobs
        See `signals.store.engine.engine_of`: trials side by side.
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
    engine: str = "local"
    jobs: int | None = None

    @property
    def source(self) -> Source:
        """Where every trial has its windows from."""
        return Source(self.dataset, self.data, self.windows)


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
    engine = engine_of(job.engine, job.jobs)
    loaded, data = job.source.load(progress)
    splits, text = splits_of(loaded, job.folds)
    larger = loaded.card.target is None
    train = loaded.windows[splits[0][0]]
    study = _study(optuna, job, larger, {**_identity(job, train), "split": text})
    counted = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = sum(trial.state in counted for trial in study.trials)
    if engine is None:
        ended = _one_by_one(optuna, job, data, study, job.trials - done, progress)
    else:
        ended = _side_by_side(optuna, engine, job, data, study, job.trials - done)
    for number, last in enumerate(ended, start=done + 1):
        progress.note(f"trial {number}: {last.state.name.lower()}, {last.value}")
        progress.update("trials", number, job.trials)
    return _written(job, study, "macro-F1" if larger else "MAE")


def _one_by_one(
    optuna: Any, job: SearchJob, data: str, study: Any, trials: int, progress: Progress
) -> Iterator[Any]:
    """Trials in this process, each stopped where optuna sees no hope."""

    def score(proposed: Any) -> float:
        def tell(value: float, epoch: int) -> None:
            proposed.report(value, epoch)
            if proposed.should_prune():
                raise optuna.TrialPruned

        shown = progress.training(f"trial {proposed.number + 1}")
        trial = _trial(job, data, proposed, job.n_threads)
        return score_trial(trial, Watch(tell), [shown])

    for _ in range(trials):
        study.sampler = _sampler(optuna, job, study)
        # A loss that became infinite speaks against these settings alone.
        study.optimize(score, n_trials=1, catch=(RunError,))
        yield study.trials[-1]


def _side_by_side(
    optuna: Any, engine: Engine, job: SearchJob, data: str, study: Any, trials: int
) -> Iterator[Any]:
    """Trials of other processes, each proposed when there is room and trained to its end."""
    open_: deque[Any] = deque()
    state = optuna.trial.TrialState

    def proposals() -> Iterator[Trial]:
        for _ in range(trials):
            study.sampler = _sampler(optuna, job, study)
            open_.append(study.ask())
            # One thread each: they would fight for the cores.
            yield _trial(job, data, open_[-1], job.n_threads or 1)

    try:
        for scored in engine.run(run_trial, proposals()):
            proposed = open_.popleft()
            for epoch, value in scored.epochs:
                proposed.report(value, epoch)
            yield study.tell(
                proposed, scored.value, state=state.FAIL if scored.failure else state.COMPLETE
            )
    finally:
        for proposed in open_:
            study.tell(proposed, state=state.FAIL)


def _sampler(optuna: Any, job: SearchJob, study: Any) -> Any:
    # By their number: a search that goes on does not repeat proposals.
    return optuna.samplers.TPESampler(seed=job.seed + len(study.trials))


def _trial(job: SearchJob, data: str, proposed: Any, n_threads: int | None) -> Trial:
    kept = job.recipe.training.validation_share
    recipe = job.recipe.override({"training.validation_share": kept or SHARE})
    return Trial(
        source=job.source,
        data=data,
        folds=job.folds,
        recipe=recipe.override(drawn(job.space, proposed)),
        # Without validation subjects of its own a recipe keeps its last weights, whatever they are.
        keeps_best=bool(kept),
        seed=job.seed,
        device=job.device,
        n_threads=n_threads,
    )


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
