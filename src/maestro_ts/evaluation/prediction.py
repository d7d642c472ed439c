"""`Prediction`: what a model said of some windows, and what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prediction"]


@dataclass(frozen=True)
class Prediction:
    """Arrays over n windows.

    Attributes
    ----------
    logits : (n, K)
    budgets : (n, M) or None
    expert_share : (n, layers, E) or None
    tokens : (n,) or None
        Length of the fused sequence.
    temperature : float
        Of the probabilities; the logits are the network's own.
    """

    logits: NDArray[np.float64]
    budgets: NDArray[Any] | None = None
    expert_share: NDArray[Any] | None = None
    tokens: NDArray[Any] | None = None
    temperature: float = 1.0

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the logits over the temperature, (n, K)."""
        scaled = self.logits / self.temperature
        shifted = scaled - scaled.max(axis=1, keepdims=True)
        exp = np.exp(shifted)
        return np.asarray(exp / exp.sum(axis=1, keepdims=True))
