"""`Rows`: sample buffers that are read by spans, in memory or in a file; which rows a span has."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BORDER_S", "Rows", "read_rows", "rows_between"]

BORDER_S = 1e-9  # a sample as little before a window belongs to it: rounding


class Rows(Protocol):
    """A buffer of shape (S, C) or (S,) that is not in memory; numpy can read all of it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any) -> NDArray[Any]: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]: ...

    def read(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[Any]:
        """Rows ``starts[i] : starts[i] + lengths[i]`` of all i, one after another; a copy."""


def read_rows(
    buffer: NDArray[Any] | Rows, starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[Any]:
    """Rows ``starts[i] : starts[i] + lengths[i]`` of all i, one after another; a copy."""
    if not isinstance(buffer, np.ndarray):
        return buffer.read(starts, lengths)
    if len(starts) == 1:
        return buffer[starts[0] : starts[0] + lengths[0]].copy()
    before = np.cumsum(lengths) - lengths
    found: NDArray[Any] = buffer[np.repeat(starts - before, lengths) + np.arange(lengths.sum())]
    return found


def rows_between(
    stamps: NDArray[np.float64], begin_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of each window and the row after its last.

    A sample on the border belongs to the window that begins there; the tolerance keeps rounding in
    start + j / rate from moving it.
    """
    low = np.searchsorted(stamps, begin_s - BORDER_S, side="left")
    return low, np.searchsorted(stamps, end_s - BORDER_S, side="left")
