"""Logistic regression on standardised statistics: what a straight line through them is worth.

What is missing takes the training mean, and the flags of presence say so.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from maestro_ts.baselines.copies import with_copies
from maestro_ts.baselines.fitted_network import FittedNetwork, row_products
from maestro_ts.baselines.statistics_front_end import StatisticsFrontEnd, Which, table_of
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.recipe import Settings as Group
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["Logistic", "Settings", "fit", "front_end", "network"]

# Some statistics have long tails: ten deviations away says no more than that.
FURTHEST = 10.0


class Settings(Group):
    """As scikit-learn's LogisticRegression by default."""

    statistics: Which = Field("31", description="Per channel and magnitude; only 31 has flags.")
    strength: float = Field(1.0, gt=0, description="Of L2 on the coefficients (1 / C).")
    copies: int = Field(2, ge=0, description="Of every window, with missing sensors.")


class Logistic(FittedNetwork):
    """One linear map of standardised statistics, in float64.

    Parameters
    ----------
    schema : Schema
    **found : Tensor
        ``mean`` [F], ``scale`` [F], ``coefficients`` [F, K], ``intercept`` [K].
    """

    mean: Tensor
    scale: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, schema: Schema, **found: Tensor) -> None:
        super().__init__(**found)
        self.schema = schema

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        table = table_of(batch, self.schema).to(self.mean)
        rows = _standard(table, self.mean, self.scale)
        return Output(row_products(rows, self.coefficients) + self.intercept)


def _standard(table: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Standardised columns, 0 where missing."""
    return torch.nan_to_num((table - mean) / scale, nan=0.0).clamp(-FURTHEST, FURTHEST)


def front_end(recipe: Recipe) -> FrontEnd:
    """The statistics."""
    return StatisticsFrontEnd(recipe.own(Settings).statistics)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Logistic:
    """Without coefficients yet."""
    names = ("mean", "scale", "coefficients", "intercept")
    return Logistic(fitted.schema, **{name: torch.zeros(0) for name in names})


def fit(
    fitted: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> Logistic:
    """Means and deviations of what is there, then the coefficients."""
    from sklearn.linear_model import LogisticRegression

    own = recipe.own(Settings)
    batches = with_copies(
        fitted, windows, own.copies, recipe.curriculum, np.random.default_rng(seed)
    )
    table = torch.cat([table_of(batch, fitted.schema) for batch in batches]).double()
    there = ~table.isnan()
    count = there.sum(dim=0).clamp(min=1)
    mean = torch.nan_to_num(table).sum(dim=0) / count
    spread = (torch.nan_to_num(table - mean) ** 2).sum(dim=0).div(count).sqrt()
    scale = torch.where(spread > 1e-6 * mean.abs().clamp(min=1.0), spread, 1.0)
    model = LogisticRegression(C=1.0 / own.strength, max_iter=1000)
    share = np.tile(weights.astype(np.float64) / len(batches), len(batches))
    rows = _standard(table, mean, scale).numpy()
    model.fit(rows, np.tile(targets, len(batches)), sample_weight=share)
    lines, start = model.coef_, model.intercept_
    if n_outputs == 2:  # scikit-learn gives the second class alone
        lines, start = np.concatenate([0 * lines, lines]), np.append(0 * start, start)
    return Logistic(
        fitted.schema,
        mean=mean,
        scale=scale,
        coefficients=torch.from_numpy(np.ascontiguousarray(lines.T)),
        intercept=torch.from_numpy(start),
    )
