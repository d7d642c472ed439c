"""Temperature scaling: what logits are divided by, for honest probabilities.

Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", with one number
more for each way of lacking something: a model may become too sure, or too modest, as sensors
leave and as samples are lost, and one temperature for all of it is wrong at both ends. The most
probable class stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize

__all__ = ["HOTTEST", "STEEPEST", "Temperature", "fit_single", "fit_temperature", "log_loss"]

HOTTEST = 20.0  # logits that tell nothing, or are never wrong, have no finite best temperature
STEEPEST = 3.0  # exponents; more is made of a few windows
LEAST_LEFT = 0.02  # share of the samples; a window of nearly none would be claimed at any price

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Temperature:
    """T = whole · (share of modalities present)^−absent · (share of their samples left)^−lost.

    Attributes
    ----------
    whole : float
        With everything there.
    absent, lost : float
        Above 0 the model is too sure where modalities are absent, or samples of the present ones
        lost; below, too modest.
    """

    whole: float
    absent: float = 0.0
    lost: float = 0.0

    def of(self, present: NDArray[np.bool_], lost: Floats) -> Floats:
        """The temperature of every window, (n,), within [1 / `HOTTEST`, `HOTTEST`].

        Parameters
        ----------
        present : (n, M)
        lost : (n,)
            See `missing_classes.lost_share`.
        """
        return _temperatures(
            np.array([np.log(self.whole), self.absent, self.lost]), _lacking(present, lost)
        )


def fit_temperature(
    logits: Floats, truth: NDArray[np.int64], present: NDArray[np.bool_], lost: Floats
) -> Temperature:
    """The temperature with the least log loss; from the best single one downhill.

    Parameters
    ----------
    logits : (n, K)
    truth : (n,)
    present : (n, M)
    lost : (n,)
        As for `Temperature.of`.
    """
    whole = fit_single(logits, truth)
    lacking = _lacking(present, lost)
    # What is everywhere the same share says nothing of other shares.
    free = np.ptp(lacking[:, 1:], axis=0) > 1e-6
    if not free.any():
        return Temperature(whole)
    shifted, right = _shifted(logits, truth)

    def loss(parts: Floats) -> tuple[float, Floats]:
        inverse = 1.0 / _temperatures(parts, lacking)
        weights = np.exp(inverse[:, None] * shifted)
        total = weights.sum(axis=1)
        expected = (weights * shifted).sum(axis=1) / total
        value = np.log(total) - inverse * right
        inside = (inverse > 1.0 / HOTTEST) & (inverse < HOTTEST)
        slope = np.where(inside, (right - expected) * inverse, 0.0)
        return float(value.mean()), np.asarray((slope[:, None] * lacking).mean(axis=0))

    limit = np.log(HOTTEST)
    found: Any = minimize(
        loss,
        np.array([np.log(whole), 0.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-limit, limit), *((-STEEPEST * f, STEEPEST * f) for f in free)],
        options={"ftol": 1e-12, "gtol": 1e-8},
    )
    base, absent, gone = (float(x) for x in found.x)
    return Temperature(float(np.exp(base)), absent, gone)


def log_loss(logits: Floats, truth: NDArray[np.int64], temperature: float | Floats = 1.0) -> float:
    """Mean of −log of the true class's probability, in nats; one temperature, or one a window."""
    z = logits / np.reshape(temperature, (-1, 1))
    z = z - z.max(axis=1, keepdims=True)
    own = z[np.arange(len(truth)), truth]
    return float((np.log(np.exp(z).sum(axis=1)) - own).mean())


def _shifted(logits: Floats, truth: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Logits with 0 as the largest of each window, and the true class's, (n, K) and (n,)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted, shifted[np.arange(len(truth)), truth]


def _lacking(present: NDArray[np.bool_], lost: Floats) -> Floats:
    """1, and −log of the shares of modalities and of samples that are left, (n, 3)."""
    there = np.maximum(present.sum(axis=1), 1) / present.shape[1]
    left = np.maximum(1.0 - lost, LEAST_LEFT)
    return np.column_stack([np.ones(len(lost)), -np.log(there), -np.log(left)])


def _temperatures(parts: Floats, lacking: Floats) -> Floats:
    limit = np.log(HOTTEST)
    return np.asarray(np.exp(np.clip(lacking @ parts, -limit, limit)))


def fit_single(logits: Floats, truth: NDArray[np.int64]) -> float:
    """The best temperature for all windows alike.

    The loss is convex in the inverse temperature: its slope, the mean of expected less true logit,
    rises, and crosses zero once.
    """
    shifted, right = _shifted(logits, truth)

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
