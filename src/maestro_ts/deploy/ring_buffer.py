"""`RingBuffer`: the last samples of one modality, in order of time whatever order they came in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.rows import BORDER_S, rows_between

__all__ = ["RingBuffer"]

FIRST_ROWS = 256


class RingBuffer:
    """Times and values of one modality; what is older than any coming window is overwritten.

    Rows of any stretch of time are one slice, without a copy: room is left behind the newest row,
    and when it is used up the rows that are still held move to the front.

    Parameters
    ----------
    channels : int
    capacity : int
        Rows that are held at most; the oldest give way to newer ones.
    """

    def __init__(self, channels: int, capacity: int) -> None:
        self.capacity = capacity
        self._times = np.empty(FIRST_ROWS)
        self._values = np.empty((FIRST_ROWS, channels), dtype=np.float32)
        self._first, self._end = 0, 0

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def times(self) -> NDArray[np.float64]:
        """Times of the rows held, (T,), never decreasing; a view that the next push may change."""
        return self._times[self._first : self._end]

    @property
    def values(self) -> NDArray[np.float32]:
        """Values of the rows held, (T, C); a view that the next push may change."""
        return self._values[self._first : self._end]

    def insert(self, times: NDArray[np.float64], values: NDArray[np.float32]) -> int:
        """Put samples (T,), (T, C) in their places; of equal times the earlier pushed is first.

        Returns
        -------
        Rows that were overwritten because the buffer was full.
        """
        if not len(times):
            return 0
        if (np.diff(times) < 0).any():
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[order]
        # Rows that lie after the first of the new ones are put in order with them.
        held = self.times
        behind = len(held) - int(np.searchsorted(held, times[0], side="right"))
        if behind:
            times = np.concatenate([held[-behind:], times])
            values = np.concatenate([self.values[-behind:], values])
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[order]
            self._end -= behind
        self._make_room(len(times))
        end = self._end + len(times)
        self._times[self._end : end] = times
        self._values[self._end : end] = values
        self._end = end
        lost = max(0, len(self) - self.capacity)
        self._first += lost
        return lost

    def between(self, begin_s: float, end_s: float) -> slice:
        """Rows of `times` and `values` in a stretch; a sample at its end belongs to the next."""
        low, high = rows_between(self.times, np.array([begin_s]), np.array([end_s]))
        return slice(int(low[0]), int(high[0]))

    def release(self, before_s: float) -> None:
        """Let go of rows before a time."""
        self._first += int(np.searchsorted(self.times, before_s - BORDER_S, side="left"))

    def _make_room(self, rows: int) -> None:
        if self._end + rows <= len(self._times):
            return
        kept = len(self)
        size = len(self._times)
        while size < 2 * (kept + rows):
            size *= 2
        times, values = self._times, self._values
        if size > len(times):
            times, values = np.empty(size), np.empty((size, values.shape[1]), dtype=np.float32)
        # numpy copies as if through a buffer where source and target overlap.
        times[:kept], values[:kept] = self.times, self.values
        self._times, self._values = times, values
        self._first, self._end = 0, kept
