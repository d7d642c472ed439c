"""How far the symbols of some windows lie from those of the training windows.

What is far is told by the training people: each one's stretches of windows are compared with all
others'. A new person is thus no drift unless further from training than everybody in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.alphabet import MISSING

__all__ = ["Reference", "counts", "distance"]


def counts(tokens: NDArray[np.uint8], alphabet: int) -> NDArray[np.int64]:
    """How often each symbol occurs in each window, (n, L, C, V) → (n, C, V, A).

    The missing symbol is not counted: that a sensor is absent is no drift.
    """
    n, length, channels, views = tokens.shape
    series = tokens.transpose(0, 2, 3, 1).reshape(-1, length)
    size = alphabet + 1
    cell = series + size * np.arange(len(series))[:, None]
    found = np.bincount(cell.ravel(), minlength=len(series) * size)
    return np.asarray(found.reshape(n, channels, views, size)[..., MISSING + 1 :])


def distance(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Jensen–Shannon distance of histograms (..., A), in [0, 1]; NaN where one is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = (h / h.sum(axis=-1, keepdims=True) for h in (one, other))
        middle = (p + q) / 2
        divergence = sum(
            np.where(h > 0, h * np.log2(h / middle), 0.0 * h).sum(axis=-1) / 2 for h in (p, q)
        )
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))


@dataclass(frozen=True)
class Reference:
    """Symbols of one modality in the training windows.

    Attributes
    ----------
    histogram : (C, V, A)
        How often each symbol occurred.
    limits : (K, V)
        Largest distance of a training person's 1, 2, 4, … windows in a row from everybody else's,
        of any channel; NaN without a second person. The more windows, the less is chance.
    """

    histogram: NDArray[np.int64]
    limits: NDArray[np.float64]

    @classmethod
    def learn(cls, found: NDArray[np.int64], subjects: NDArray[np.str_]) -> Reference:
        """From `counts` of training windows (n, C, V, A), each person's in their order."""
        whole = found.sum(axis=0)
        people = [found[subjects == s] for s in np.unique(subjects)]
        limits = []
        size, most = 1, max((len(p) for p in people), default=0)
        while size <= most:
            rows = [_furthest(own, whole, size) for own in people if len(own) >= size]
            limits.append(np.fmax.reduce(rows))
            size *= 2
        return cls(whole, np.array(limits).reshape(len(limits), found.shape[2]))

    def drift(self, found: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far windows are from training, and how far is far, (V,) each, by `counts`.

        NaN where there is no symbol, or there was no second person.
        """
        told = int((found.sum(axis=(1, 2, 3)) > 0).sum())
        if not told or not len(self.limits):
            empty = np.full(self.histogram.shape[1], np.nan)
            return empty, empty
        row = min(told.bit_length(), len(self.limits)) - 1
        far = distance(found.sum(axis=0), self.histogram)
        return np.fmax.reduce(far), self.limits[row]


def _furthest(own: NDArray[np.int64], whole: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Largest distance of `size` windows in a row from all windows of the others, (V,)."""
    pieces = own[: len(own) // size * size].reshape(-1, size, *own.shape[1:]).sum(axis=1)
    return np.asarray(np.fmax.reduce(distance(pieces, whole - own.sum(axis=0)), axis=(0, 1)))
