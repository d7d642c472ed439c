"""What is kept of the samples of a bin, and the mean of a window from its bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.fold import fold

__all__ = ["Moments", "joined", "window_centre"]


@dataclass(frozen=True)
class Moments:
    """Moments of n windows as far as they were computed; see `bins.Binned`.

    Attributes
    ----------
    count : shape (n, L, C), or (1, L, 1) where all windows and channels have the same
    mean : shape (n, L, C)
    m2 : shape (n, L, C)
    peak : shape (n, L, C), or None
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]
    peak: NDArray[np.float64] | None


def joined(parts: Sequence[Moments], rows: Sequence[NDArray[np.intp]] | None = None) -> Moments:
    """Moments of several portions of windows as one; `rows` are the places of their windows."""
    if len(parts) == 1:
        return parts[0]
    order = None if rows is None else np.argsort(np.concatenate(rows))

    def whole(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        together = np.concatenate(arrays)
        return together if order is None else together[order]

    count = parts[0].count
    if len(count) > 1 or not all(np.array_equal(p.count, count) for p in parts):
        count = whole([np.broadcast_to(p.count, p.mean.shape) for p in parts])
    peaks = [p.peak for p in parts if p.peak is not None]
    return Moments(
        count,
        whole([p.mean for p in parts]),
        whole([p.m2 for p in parts]),
        whole(peaks) if len(peaks) == len(parts) else None,
    )


def window_centre(
    count: NDArray[np.float64], mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Valid samples and mean of each window from its bins, (n or 1, 1, C or 1) and (n, 1, C)."""
    total = count.sum(axis=1, keepdims=True)
    known = mean if (count > 0).all() else np.where(count > 0, mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total, fold(count * known)[:, None] / total
