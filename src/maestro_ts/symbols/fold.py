"""Reductions and repeats along an axis whose neighbour is short, in long inner loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold", "repeat"]


def fold(block: NDArray[np.float64], combine: np.ufunc = np.add) -> NDArray[np.float64]:
    """``combine.reduce`` over the last axis but one, (..., K, C) → (..., C).

    The upper half is combined with the lower one until one row is left, in loops over
    K/2 · C values where numpy's own reduction takes C at a time. Depends on the values and K alone.
    """
    k, own = block.shape[-2], False
    while k > 1:
        half = k // 2
        low, high = block[..., :half, :], block[..., half : 2 * half, :]
        out: NDArray[np.float64] = combine(low, high, out=low) if own else combine(low, high)
        if k % 2:
            first = out[..., 0, :]
            combine(first, block[..., k - 1, :], out=first)
        block, k, own = out, half, True
    return block[..., 0, :]


def repeat(row: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The same row k times, (..., C) → (..., k, C)."""
    *lead, channels = row.shape
    out = np.empty((*lead, k, channels))
    # A row as one item: numpy copies it at once, whatever its channels.
    item = f"V{row.itemsize * channels}"
    out.view(item)[..., 0] = np.ascontiguousarray(row).view(item)
    return out
