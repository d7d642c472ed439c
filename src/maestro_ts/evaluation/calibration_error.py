"""How far the probability of the predicted class is from how often it is right.

Bins of equally many windows. The plain estimate is biased: a calibrated model, too, misses its own
confidence in a finite sample. The bias is subtracted bin by bin in the manner of Kumar, Liang and
Ma (2019), "Verified uncertainty calibration", here for absolute errors with the accuracy of a bin
taken as normal about what was seen: all of it where confidence is wrong, nearly half where it is
right. The band is of the same number. What a calibrated model would show is found by drawing
whether a window is right with the probability that was claimed: consistency resampling, Bröcker
and Smith (2007), "Increasing the reliability of reliability diagrams".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["Reliability", "debiased_error", "reliability"]

BINS = 15
WINDOWS_PER_BIN = 20  # fewer bins where there are few windows
LEVEL = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram and its one number.

    Attributes
    ----------
    n : int
        Windows.
    error : float
        Debiased expected calibration error, 0 at least.
    band : float
        95 % of calibrated models with the same confidences show at most this much.
    confidence, accuracy : list of float
        Means of every bin.
    low, high : list of float
        Between them lies the accuracy of 95 % of calibrated models.
    windows : list of int
        Of every bin.

    Notes
    -----
    The band takes windows as independent. Those of one subject are not, so the true band is wider.
    """

    n: int
    error: float
    band: float
    confidence: list[float]
    accuracy: list[float]
    low: list[float]
    high: list[float]
    windows: list[int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def reliability(
    confidence: Floats, right: NDArray[np.bool_], rng: np.random.Generator, repeats: int = 500
) -> Reliability:
    """Compare confidence with accuracy.

    Parameters
    ----------
    confidence : (n,)
        Probability of the predicted class.
    right : (n,)
        Whether it is the true one.
    rng : Generator
        Of the draws of a calibrated model.
    """
    n = len(confidence)
    order = np.argsort(confidence, kind="stable")
    bins = min(BINS, max(1, n // WINDOWS_PER_BIN))
    first = np.arange(bins) * n // bins
    size = np.diff(np.append(first, n))
    claimed = confidence[order]
    mean = np.add.reduceat(claimed, first) / size
    found = np.add.reduceat(right[order].astype(np.float64), first) / size
    drawn = np.stack(
        [
            np.add.reduceat((rng.random(n) < claimed).astype(np.float64), first) / size
            for _ in range(repeats)
        ]
    )
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Reliability(
        n=n,
        error=float(debiased_error(mean, found, size)),
        band=float(np.quantile(debiased_error(mean, drawn, size), LEVEL)),
        confidence=mean.tolist(),
        accuracy=found.tolist(),
        low=low.tolist(),
        high=high.tolist(),
        windows=size.tolist(),
    )


def debiased_error(confidence: Floats, accuracy: Floats, size: NDArray[np.int64]) -> Floats:
    """Expected calibration error of bins [..., b], without the bias of their finite sizes.

    The bias of a bin is E|X| − |d| with X normal about the difference d that was seen and with the
    variance of a mean of so many windows.
    """
    d = accuracy - confidence
    spread = np.sqrt(np.maximum(accuracy * (1.0 - accuracy) / size, 1e-300))
    folded = spread * np.sqrt(2.0 / np.pi) * np.exp(-0.5 * (d / spread) ** 2)
    folded = folded + d * (2.0 * ndtr(d / spread) - 1.0)
    error = ((2.0 * np.abs(d) - folded) * size).sum(axis=-1) / size.sum()
    return np.asarray(np.maximum(error, 0.0))
