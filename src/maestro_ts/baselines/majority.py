"""The class frequencies of the training windows, whatever is measured: the floor for others."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.baselines.fitted_network import FittedNetwork
from maestro_ts.baselines.statistics_front_end import StatisticsFrontEnd
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows

__all__ = ["Majority", "fit", "front_end", "network"]


class Majority(FittedNetwork):
    """The same logits for every window: the logarithms of the classes' shares."""

    logits: Tensor

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.logits.expand(len(batch), -1).clone())


def front_end(recipe: Recipe) -> FrontEnd:
    """The least that makes a batch."""
    return StatisticsFrontEnd("nine")


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Majority:
    """Without any knowledge: all classes alike."""
    return Majority(logits=torch.zeros(n_outputs))


def fit(
    fitted: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> Majority:
    """Count the classes, each with one window more than it has, so that none is impossible."""
    counts = np.bincount(targets, weights, minlength=n_outputs) + 1.0
    return Majority(logits=torch.from_numpy(np.log(counts / counts.sum())).float())
