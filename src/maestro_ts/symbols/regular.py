"""Moments per bin of regular streams, where the samples of a bin are the same rows in all windows.

Windows whose bins hold the same rows are taken together, some at a time. `bins` has the general
way, which this one agrees with to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples
from maestro_ts.symbols.moments import Moments, joined

__all__ = ["Place", "regular_moments"]

BLOCK = 2**16  # values at a time: in float64 they stay in a core's cache
GROUP_COST = 512  # a group of its own costs as much as this many values in the general way
MOST_PADDING = 4

Place = Callable[[NDArray[np.float64], int, NDArray[np.float64]], NDArray[np.int64]]


def regular_moments(
    samples: Samples,
    duration_s: NDArray[np.float64],
    bins: int,
    place: Place,
    *,
    static: bool,
    peak: bool,
) -> Moments | None:
    """All moments, the peak where it is asked for; None where the general way is better.

    Parameters
    ----------
    samples : Samples
        Regular and in memory.
    place : function of times (...) in s, number of bins and durations (...) in s
        The bin of each time; what decides, here as in the general way.
    """
    assert isinstance(samples.values, np.ndarray)
    if not len(samples.starts):
        return None
    bounds = _bounds(samples, duration_s, bins, place, static)
    if len(bounds) == 1:
        groups = [np.arange(len(samples.starts))]
    else:
        bounds, group = np.unique(bounds, axis=0, return_inverse=True)
        groups = [np.flatnonzero(group.ravel() == g) for g in range(len(bounds))]
    values = samples.values
    grids = [Grid(row) for row in bounds]
    much = samples.lengths.sum() * values.shape[1]
    padding = max(grid.bins * grid.most for grid in grids)
    if len(groups) * GROUP_COST > much or padding > MOST_PADDING * (samples.lengths.max() + bins):
        return None
    parts = [
        _group(values, samples.starts[rows], grid, peak=peak)
        for grid, rows in zip(grids, groups, strict=True)
    ]
    return parts[0] if len(parts) == 1 else joined(parts, groups)


def _bounds(
    samples: Samples, duration_s: NDArray[np.float64], bins: int, place: Place, static: bool
) -> NDArray[np.int64]:
    """Rows of a window where its bins begin and the last ends, (n, L + 1), or (1, L + 1) for all.

    Found by asking `place` about the rows around each border, not about every row.
    """
    lengths, origins, durations = samples.lengths, samples.origins_s, duration_s
    if all((a == a[0]).all() for a in (lengths, origins, durations)):
        lengths, origins, durations = lengths[:1], origins[:1], durations[:1]
    lengths, origins, durations = lengths[:, None], origins[:, None], durations[:, None]
    border = np.arange(bins + 1)
    if static:
        return np.where(border == 0, 0, lengths)
    rate = samples.rate_hz or 1.0
    guess = np.ceil((border * (durations / bins) - origins) * rate - 0.5)
    found = np.clip(guess, 0, lengths).astype(np.int64)
    while True:
        here = place(origins + found / rate, bins, durations)
        before = place(origins + (found - 1) / rate, bins, durations)
        late = (found < lengths) & (here < border)
        early = (found > 0) & (before >= border)
        if not (late | early).any():
            return found
        found += late.astype(np.int64) - early


class Grid:
    """Bins of alike windows: which rows each has, and how they are laid out as a block.

    A block is (K, n, L, C): the j-th samples of all bins lie together, so that what is done along
    a bin runs over long stretches of memory however short bins and few channels are. Sizes of
    bins repeat (43, 44, 44, 44 samples); all bins of one place in that cycle are copied at once.
    """

    def __init__(self, bounds: NDArray[np.int64]) -> None:
        self.sizes = np.diff(bounds)
        self.bins = len(self.sizes)
        self.most = max(int(self.sizes.max()), 1)
        self.first, self.span = int(bounds[0]), int(bounds[-1] - bounds[0])
        self.period = next(
            period
            for period in range(1, self.bins + 1)
            if self.bins % period == 0
            and (self.sizes.reshape(-1, period) == self.sizes[:period]).all()
        )

    def fill(
        self,
        block: NDArray[np.float64],
        single: NDArray[np.float32],
        values: NDArray[np.float32],
        starts: NDArray[np.int64],
    ) -> None:
        """Put the samples of n windows into a block, and zeros where a bin is short.

        `single` is a block too, to be overwritten.
        """
        if not self.span:
            block[:] = 0.0
            return
        n, step = len(starts), int(starts[1] - starts[0]) if len(starts) > 1 else 0
        start = int(starts[0]) + self.first
        if not values.flags.c_contiguous or (n > 1 and (np.diff(starts) != step).any()):
            values = np.concatenate([values[s : s + self.span] for s in starts + self.first])
            start, step = 0, self.span
        # A row as one item: numpy moves it at once, whatever its channels.
        size = values.itemsize * values.shape[1]
        rows = values.view(f"V{size}")[start:, 0]
        cycles = self.bins // self.period
        cycle = self.span // cycles
        source = as_strided(rows, (n, cycles, cycle), (step * size, cycle * size, size))
        target = single.view(f"V{size}").reshape(self.most, n, cycles, self.period)
        begin = 0
        for phase, count in enumerate(self.sizes[: self.period]):
            piece = source[:, :, begin : begin + count]
            target[:count, :, :, phase] = piece.transpose(2, 0, 1)
            begin += count
        self.blank(single)
        np.copyto(block, single)

    def blank(self, block: NDArray[Any]) -> None:
        """Zero where a bin is short."""
        k, n, _, channels = block.shape
        target = block.reshape(k, n, -1, self.period, channels)
        for phase in np.flatnonzero(self.sizes[: self.period] < self.most):
            target[self.sizes[phase] :, :, :, phase] = 0


def _group(
    values: NDArray[np.float32], starts: NDArray[np.int64], grid: Grid, *, peak: bool
) -> Moments:
    """Moments of windows with the same grid, some at a time."""
    channels = values.shape[1]
    n = min(len(starts), max(1, BLOCK // (grid.most * grid.bins * channels)))
    block = np.empty((grid.most, n, grid.bins, channels))
    single = np.empty(block.shape, dtype=np.float32)
    whole = (len(starts), grid.bins, channels)
    found = Moments(
        count=grid.sizes.astype(np.float64)[None, :, None],
        mean=np.empty(whole),
        m2=np.empty(whole),
        peak=np.empty(whole) if peak else None,
    )
    counts: NDArray[np.float64] | None = None
    for i in range(0, len(starts), n):
        some = slice(i, min(i + n, len(starts)))
        if some.stop - i < n:
            block = np.empty((grid.most, some.stop - i, grid.bins, channels))
            single = np.empty(block.shape, dtype=np.float32)
        grid.fill(block, single, values, starts[some])
        count = _into(found, some, block, grid)
        if count is not None:
            if counts is None:
                counts = np.broadcast_to(found.count, whole).copy()
            counts[some] = count
    return found if counts is None else replace(found, count=counts)


def _into(
    found: Moments, some: slice, block: NDArray[np.float64], grid: Grid
) -> NDArray[np.float64] | None:
    """Put the moments of a block, which is overwritten, where they belong.

    Returns
    -------
    Samples per window, bin and channel, (n, L, C), where some are missing.
    """
    mean, absent = found.mean[some], None
    count = grid.sizes.astype(np.float64)[None, :, None]
    np.add.reduce(block, axis=0, out=mean)
    # A missing sample shows in the sum of its bin.
    if np.isnan(mean.max()):
        absent = np.isnan(block)
        block[absent] = 0.0
        valid = ~absent
        grid.blank(valid)
        np.add.reduce(block, axis=0, out=mean)
        count = np.add.reduce(valid, axis=0, dtype=np.float64)
    if found.peak is not None:
        np.maximum.reduce(np.abs(block), axis=0, out=found.peak[some])
    with np.errstate(invalid="ignore", divide="ignore"):
        if absent is None and (grid.sizes == grid.most).all():
            mean /= grid.most
        else:
            mean /= count
    block -= mean
    if absent is not None:
        block[absent] = 0.0
    grid.blank(block)
    np.multiply(block, block, out=block)
    np.add.reduce(block, axis=0, out=found.m2[some])
    return None if absent is None else count
