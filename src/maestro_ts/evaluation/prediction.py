"""`Prediction`: what a model said of some windows, and what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["Prediction"]


@dataclass(frozen=True)
class Prediction:
    """Arrays over n windows.

    Attributes
    ----------
    logits : (n, K)
        Of a model that estimates a number: that number in its unit, (n, 1).
    budgets : (n, M) or None
    expert_share : (n, layers, E) or None
    tokens : (n,) or None
        Length of the fused sequence.
    independent : bool
        Every column is a label of its own, there or not; else they are classes, one of them true.
    temperature : (n,) or None
        Of the probabilities, None: 1; the logits are the network's own.
    """

    logits: NDArray[np.float64]
    budgets: NDArray[Any] | None = None
    expert_share: NDArray[Any] | None = None
    tokens: NDArray[Any] | None = None
    independent: bool = False
    temperature: NDArray[np.float64] | None = None

    @property
    def scaled(self) -> NDArray[np.float64]:
        """The logits over the temperature, (n, K)."""
        if self.temperature is None:
            return self.logits
        return np.asarray(self.logits / self.temperature[:, None])

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the scaled logits, (n, K); of independent labels the sigmoid."""
        scaled = self.scaled
        if self.independent:
            return np.asarray(expit(scaled))
        shifted = scaled - scaled.max(axis=1, keepdims=True)
        exp = np.exp(shifted)
        return np.asarray(exp / exp.sum(axis=1, keepdims=True))

    @property
    def numbers(self) -> NDArray[np.float64]:
        """What a model that estimates a number says, (n,)."""
        return np.asarray(self.logits[:, 0])
