"""One trial of a search: train with its settings, score on validation subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maestro_ts.errors import ConfigError, DataError, RunError
from maestro_ts.experiments.cell_work import Source
from maestro_ts.experiments.learned import estimator_for
from maestro_ts.experiments.main_job import splits_of
from maestro_ts.experiments.progress import Progress
from maestro_ts.recipe import Recipe
from maestro_ts.training.callbacks import Callback, EpochReport

__all__ = ["Scored", "Trial", "Watch", "run_trial", "score_trial"]


@dataclass(frozen=True)
class Trial:
    """What a trial trains; another process can do it.

    Attributes
    ----------
    source : Source
    data : str
        Fingerprint of its windows.
    folds : int or None
        The training subjects are those of the first.
    recipe : Recipe
        With the trial's settings.
    keeps_best : bool
        Score the best epoch's weights, otherwise the last one's.
    """

    source: Source
    data: str
    folds: int | None
    recipe: Recipe
    keeps_best: bool
    seed: int
    device: str
    n_threads: int | None


@dataclass(frozen=True)
class Scored:
    """What became of a trial: scores by epoch, the one that counts, or why there is none."""

    epochs: list[tuple[int, float]]
    value: float | None = None
    failure: str = ""


class Watch(Callback):
    """Keep every validation score, and tell it with its epoch."""

    def __init__(self, tell: Callable[[float, int], None] = lambda score, epoch: None) -> None:
        self.tell = tell
        self.scores: list[tuple[int, float]] = []
        self.best = 0.0

    def on_epoch(self, report: EpochReport) -> None:
        """See `Callback`."""
        f1, mae = report.validation_f1, report.validation_mae
        score = mae if f1 is None else f1
        if score is None:
            return
        self.scores.append((report.epoch, score))
        if report.best:
            self.best = score
        self.tell(score, report.epoch)


def score_trial(trial: Trial, watch: Watch, callbacks: Sequence[Callback] = ()) -> float:
    """Train; the validation score of the weights that would be kept.

    Raises
    ------
    RunError
        The training's loss became infinite.
    DataError, ConfigError
        Other windows than when the search began; nobody to validate on.
    """
    loaded, data = trial.source.load(Progress())
    if data != trial.data:
        raise DataError("the data has changed since the search began.", fix="Start it anew.")
    model = estimator_for(loaded.card)(
        recipe=trial.recipe,
        random_state=trial.seed,
        device=trial.device,
        n_threads=trial.n_threads,
        callbacks=[*callbacks, watch],
    )
    model.fit(loaded.windows[splits_of(loaded, trial.folds)[0][0][0]])
    if not watch.scores:
        raise ConfigError("there are no subjects to validate on.", fix="Use more than one subject.")
    return watch.best if trial.keeps_best else watch.scores[-1][1]


def run_trial(trial: Trial) -> Scored:
    """Train in whatever process; an infinite loss speaks against these settings alone."""
    watch = Watch()
    try:
        return Scored(watch.scores, score_trial(trial, watch))
    except RunError as error:
        return Scored(watch.scores, failure=str(error))
