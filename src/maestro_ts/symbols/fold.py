"""Sums and repeats along an axis whose neighbour is short, so that the inner loops are long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold", "repeat"]


def fold(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over the last axis but one, (..., K, C) → (..., C).

    The upper half is added to the lower one until one row is left, in loops over K/2 · C values
    where numpy's own sum takes C at a time. Depends on the values and K alone.
    """
    k, own = block.shape[-2], False
    while k > 1:
        half = k // 2
        low, high = block[..., :half, :], block[..., half : 2 * half, :]
        out = np.add(low, high, out=low) if own else np.add(low, high)
        if k % 2:
            out[..., 0, :] += block[..., k - 1, :]
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
