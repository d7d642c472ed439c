"""`Rows`: sample buffers that are read by spans, in memory or in a file, behind one function."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "read_rows"]


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
