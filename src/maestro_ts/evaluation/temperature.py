"""Temperature scaling: one number that all logits are divided by, for honest probabilities.

Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks". The most
probable class stays what it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

__all__ = ["HOTTEST", "fit_temperature", "log_loss"]

HOTTEST = 20.0  # logits that tell nothing, or are never wrong, have no finite best temperature


def fit_temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The temperature with the least log loss, within [1 / `HOTTEST`, `HOTTEST`].

    The loss is convex in the inverse temperature: its slope, the mean of expected less true logit,
    rises, and crosses zero once.

    Parameters
    ----------
    logits : (n, K)
    truth : (n,)
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(truth)), truth]

    def slope(inverse: float) -> float:
        weights = np.exp(inverse * shifted)
        expected = (weights * shifted).sum(axis=1) / weights.sum(axis=1)
        return float((expected - right).mean())

    low, high = 1.0 / HOTTEST, HOTTEST
    if slope(low) >= 0.0:
        return HOTTEST
    if slope(high) <= 0.0:
        return 1.0 / HOTTEST
    return 1.0 / float(brentq(slope, low, high, xtol=1e-12))


def log_loss(
    logits: NDArray[np.float64], truth: NDArray[np.int64], temperature: float = 1.0
) -> float:
    """Mean of −log of the true class's probability, in nats."""
    z = logits / temperature
    z = z - z.max(axis=1, keepdims=True)
    own = z[np.arange(len(truth)), truth]
    return float((np.log(np.exp(z).sum(axis=1)) - own).mean())
