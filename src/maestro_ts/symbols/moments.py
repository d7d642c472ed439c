"""What is kept of the samples of a bin, and the mean of a window from its bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
    m2, peak : shape (n, L, C), or None
    centre, deviation : shape (n, 1, C), or None
        Mean and population deviation of each window's valid samples.
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    m2: NDArray[np.float64] | None = None
    peak: NDArray[np.float64] | None = None
    centre: NDArray[np.float64] | None = None
    deviation: NDArray[np.float64] | None = None


def joined(parts: Sequence[Moments], rows: Sequence[NDArray[np.intp]] | None = None) -> Moments:
    """Moments of several portions of windows as one; `rows` are the places of each portion's."""
    if len(parts) == 1 and rows is None:
        return parts[0]
    order = None if rows is None else np.argsort(np.concatenate(rows), kind="stable")
    found = {}
    for field in fields(Moments):
        arrays = [getattr(part, field.name) for part in parts]
        if any(array is None for array in arrays):
            continue
        if field.name == "count":
            if all(np.array_equal(array, arrays[0]) and len(array) == 1 for array in arrays):
                found["count"] = arrays[0]
                continue
            arrays = [np.broadcast_to(p.count, p.mean.shape) for p in parts]
        whole = np.concatenate(arrays)
        found[field.name] = whole if order is None else whole[order]
    return Moments(**found)


def window_centre(
    count: NDArray[np.float64], mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Valid samples and mean of each window from its bins, (n or 1, 1, C or 1) and (n, 1, C)."""
    total = count.sum(axis=1, keepdims=True)
    known = mean if (count > 0).all() else np.where(count > 0, mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total, fold(count * known)[:, None] / total
