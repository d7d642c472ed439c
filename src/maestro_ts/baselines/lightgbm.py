"""LightGBM on statistics, trained on intact windows and on copies with missing sensors.

Without such copies a missing sensor would be misread: where a column had no NaN in training,
LightGBM takes NaN at prediction for 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from maestro_ts.baselines.copies import with_copies
from maestro_ts.baselines.fitted_network import FittedNetwork
from maestro_ts.baselines.statistics_front_end import StatisticsFrontEnd, Which, table_of
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.errors import MissingExtraError
from maestro_ts.recipe import Recipe
from maestro_ts.recipe import Settings as Group
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows

__all__ = ["Settings", "Trees", "fit", "front_end", "network"]

# The validation copies are the same whatever the seed of the fit.
VALIDATION_SEED = 20_510


class Settings(Group):
    """By default small trees on nine statistics, as in the tables of UMAFall.

    A leaf holds at least 20 rows, that is about three windows with their copies; with fewer, it
    could hold the copies of one window alone.
    """

    statistics: Which = Field(
        "nine", description="Per channel and magnitude; 31: and more; twelve: of sparse records."
    )
    trees: int = Field(200, ge=1, description="Rounds, each of one tree per class.")
    leaves: int = Field(15, ge=2)
    learning_rate: float = Field(0.1, gt=0)
    rows_in_leaf: int = Field(20, ge=1, description="At least.")
    copies: int = Field(6, ge=0, description="Of every window, with missing sensors.")
    least_rate: float = Field(0.0, ge=0, le=1, description="Smallest missing rate of a copy.")
    patience: int | None = Field(
        None, ge=1, description="Rounds without gain on held-out subjects; None: all rounds."
    )


class Trees(FittedNetwork):
    """The trees as the bytes of LightGBM's text format.

    Parameters
    ----------
    schema : Schema
    text : Tensor, uint8
    """

    text: Tensor

    def __init__(self, schema: Schema, text: Tensor) -> None:
        super().__init__(text=text)
        self.schema = schema
        self._booster: Any = None

    def forward(self, batch: Batch) -> Output:
        """Sums of the trees' leaves, [B, K]."""
        table = table_of(batch, self.schema).cpu().numpy()
        raw = self._trees().predict(table, raw_score=True, num_threads=torch.get_num_threads())
        return Output(torch.from_numpy(np.asarray(raw)).to(batch.present.device))

    def _trees(self) -> Any:
        if self._booster is None:
            text = self.text.cpu().numpy().tobytes().decode()
            self._booster = _lightgbm().Booster(model_str=text)
        return self._booster

    def __getstate__(self) -> dict[str, Any]:
        # What was parsed is no state: a copy parses again.
        return self.__dict__ | {"_booster": None}


def front_end(recipe: Recipe) -> FrontEnd:
    """The statistics."""
    return StatisticsFrontEnd(recipe.own(Settings).statistics)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Trees:
    """No trees yet."""
    return Trees(fitted.schema, torch.zeros(0, dtype=torch.uint8))


def fit(
    fitted: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> Trees:
    """Boost; with `patience` until held-out subjects gain no more, and up to their best round."""
    own, rng, lightgbm = recipe.own(Settings), np.random.default_rng(seed), _lightgbm()
    train, held = np.arange(len(windows)), None
    if own.patience is not None and len(np.unique(windows.subjects)) > 1:
        share = recipe.training.validation_share
        train, held = subject_holdout(windows.subjects, share, rng, targets)

    def table(rows: NDArray[np.intp], rng: np.random.Generator, reference: Any = None) -> Any:
        """Every window intact, then its copies; together they weigh as much as the window."""
        given = (windows[rows], own.copies, recipe.curriculum, rng, own.least_rate)
        batches = with_copies(fitted, *given)
        return lightgbm.Dataset(
            np.concatenate([table_of(batch, fitted.schema).numpy() for batch in batches]),
            np.tile(targets[rows], len(batches)),
            weight=np.tile(weights[rows].astype(np.float64) / len(batches), len(batches)),
            reference=reference,
        )

    data = table(train, rng)
    watched: dict[str, Any] = {}
    if held is not None:
        watched["valid_sets"] = [table(held, np.random.default_rng(VALIDATION_SEED), data)]
        watched["callbacks"] = [lightgbm.early_stopping(own.patience, verbose=False)]
    parameters = _parameters(own, n_outputs, seed)
    booster = lightgbm.train(parameters, data, num_boost_round=own.trees, **watched)
    text = np.frombuffer(booster.model_to_string().encode(), dtype=np.uint8).copy()
    return Trees(fitted.schema, torch.from_numpy(text))


def _parameters(own: Settings, n_outputs: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": n_outputs,
        "metric": "multi_logloss",
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": torch.get_num_threads(),
        "seed": seed,
        "verbosity": -1,
        "learning_rate": own.learning_rate,
        "num_leaves": own.leaves,
        "min_data_in_leaf": own.rows_in_leaf,
    }


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError.of("lightgbm", "rivals", "The model 'lightgbm'") from error
    return lightgbm
