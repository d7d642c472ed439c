"""Samples of some windows as kernels read them: in order, without holes, edges held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples
from maestro_ts.symbols.bins import bin_of

__all__ = ["HUGE", "Held", "held"]

POSITIONS = 16  # of a bin at most, at which kernels are applied
UNEVEN_PARTS = 1000  # by whole parts: their sums do not depend on what else is added up
UNEVEN_MOST = 100.0
HUGE = 1e36  # differences of smaller numbers are within float32


@dataclass(frozen=True)
class Held:
    """What n windows of L bins hold; samples outside their window are left out.

    A sample that is NaN, infinite or nearly so takes the last value of its bin before it, or the
    first after it: a value never comes from another bin, so nothing that is hidden there can change
    it. It is 0 in a bin without any.

    Attributes
    ----------
    values : ndarray, shape (C, S), float32
        Each window's samples, and its outermost ones repeated `beyond` times and more around them.
    first : ndarray, shape (n · L,), int64
        Where in `values` each bin's first sample lies.
    stride, positions : ndarray, shape (n · L,), int64
        Every so many samples of a bin there is a position, so many in all; 0 in an empty bin.
    reach : ndarray, shape (n, L, 2), int32
        First and last bin of which something is read at the positions of a bin.
    uneven : ndarray, shape (n · L,), int64
        By how much the gaps between the samples that are read at a bin's positions differ from the
        usual one: mean of |gap / usual − 1|, in thousandths.
    whole : ndarray, shape (n · L,), bool
        True where all that is read at a bin's positions are samples of the window.
    nothing : int
        A place in `values` around which all are 0.
    """

    values: NDArray[np.float32]
    first: NDArray[np.int64]
    stride: NDArray[np.int64]
    positions: NDArray[np.int64]
    reach: NDArray[np.int32]
    uneven: NDArray[np.int64]
    whole: NDArray[np.bool_]
    nothing: int


def held(
    samples: Samples,
    duration_s: NDArray[np.float64],
    bins: int,
    rate_hz: float,
    gap_s: float,
    beyond: int,
) -> Held:
    """Lay out all windows.

    Parameters
    ----------
    samples : Samples
        Of n windows, in memory or small enough for it.
    duration_s : ndarray, shape (n,)
    bins : int
        L.
    rate_hz : float
        Nominal: what is missing at a window's end is looked for as far away as it would lie.
    gap_s : float
        Usual time between samples.
    beyond : int
        Samples that a kernel reads before its position; after it, one more.
    """
    values, times, owner = samples.flat()
    place = bin_of(times, bins, duration_s[owner])
    inside = (place >= 0) & (place < bins)
    if not inside.all():
        values, times = values[inside], times[inside]
        owner, place = owner[inside], place[inside]
    n = len(duration_s)
    cell = owner * bins + place
    count = np.bincount(cell, minlength=n * bins)
    first = np.cumsum(count) - count
    lost = ~(np.abs(values) < HUGE)
    if lost.any():
        _fill(values, lost, first[cell], (first + count)[cell])
    stride = np.maximum(1, -(-count // POSITIONS))
    positions = -(-count // stride)
    lengths = count.reshape(n, bins).sum(axis=1)
    begins = np.cumsum(lengths) - lengths

    used = np.flatnonzero(count)
    window, last = used // bins, (first + (positions - 1) * stride)[used]
    low, high = begins[window], (begins + lengths)[window] - 1
    before = np.maximum(first[used] - beyond, low)
    after = np.minimum(last + beyond + 1, high)
    whole = np.zeros(n * bins, dtype=bool)
    whole[used] = (first[used] - beyond >= low) & (last + beyond + 1 <= high)
    off = np.clip(np.abs(np.diff(times, append=0.0) / gap_s - 1.0), 0.0, UNEVEN_MOST)
    sums = np.concatenate([[0], np.cumsum(np.rint(off * UNEVEN_PARTS).astype(np.int64))])
    uneven = np.zeros(n * bins, dtype=np.int64)
    uneven[used] = (sums[after] - sums[before]) // np.maximum(after - before, 1)
    # By time as well: a stream that begins late was as little there as one that begins with NaN.
    within, long = times[first[used]] - beyond / rate_hz, times[last] + (beyond + 1) / rate_hz
    reach = np.zeros((n * bins, 2), dtype=np.int32)
    reach[used, 0] = np.minimum(place[before], bin_of(within, bins, duration_s[window]))
    reach[used, 1] = np.maximum(place[after], bin_of(long, bins, duration_s[window]))

    spans = np.where(lengths > 0, lengths + 2 * beyond + 1, 0)
    shift = np.cumsum(spans) - spans + beyond - begins
    return Held(
        values=_spread(values, owner, begins, lengths, shift, beyond),
        first=first + np.repeat(shift, bins),
        stride=stride,
        positions=positions,
        reach=np.clip(reach, 0, bins - 1).reshape(n, bins, 2),
        uneven=uneven,
        whole=whole,
        nothing=int(spans.sum()) + beyond,
    )


def _spread(
    values: NDArray[np.float32],
    owner: NDArray[np.int64],
    begins: NDArray[np.int64],
    lengths: NDArray[np.int64],
    shift: NDArray[np.int64],
    beyond: int,
) -> NDArray[np.float32]:
    """Samples (S, C) in their places, the outermost of each window around them, then zeros."""
    some = lengths > 0
    low, high = begins[some], (begins + lengths)[some] - 1
    aside = np.arange(beyond + 1)
    left = (low + shift[some])[:, None] - aside
    right = (high + shift[some])[:, None] + 1 + aside
    size = len(values) + len(low) * (2 * beyond + 1)
    out = np.zeros((values.shape[1], size + 2 * beyond + 2), dtype=np.float32)
    at = np.arange(len(values)) + shift[owner]
    for channel, own in zip(out, values.T, strict=True):
        channel[at] = own
        channel[left] = own[low, None]
        channel[right] = own[high, None]
    return out


def _fill(
    values: NDArray[np.float32],
    lost: NDArray[np.bool_],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
) -> None:
    """Replace what is `lost` in (S, C) within bins, each sample's from `start` to `stop`."""
    rows = np.arange(len(values))
    for c in np.flatnonzero(lost.any(axis=0)):
        gone = lost[:, c]
        before = np.maximum.accumulate(np.where(gone, -1, rows))
        after = np.minimum.accumulate(np.where(gone, len(rows), rows)[::-1])[::-1]
        source = np.where(before >= start, before, after)
        known = source < stop
        filled = values[np.where(known, source, 0), c]
        values[:, c] = np.where(known, filled, 0.0)
