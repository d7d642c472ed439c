"""Time → bin: what the samples of a window amount to in equal slices of its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples
from maestro_ts.symbols.moments import Moments, joined
from maestro_ts.symbols.regular import regular_moments

__all__ = ["Binned", "bin_of", "bin_samples"]


class Binned:
    """Moments of the valid samples per window, bin and channel, each (n, L, C) float64.

    Enough to compute every view after bins have been hidden, without the samples.

    Parameters
    ----------
    moments : Moments
    later : function without arguments, optional
        All moments of the same windows: called once, when the peak is asked for and not there.

    Attributes
    ----------
    count : number of valid samples
    mean : NaN where the bin is empty
    m2 : sum of squared deviations from the bin's mean
    peak : largest magnitude, 0 where empty
    alike : ndarray (1, L, 1), or None
        `count` where it is the same for all windows and channels, and none is empty.
    """

    def __init__(self, moments: Moments, later: Callable[[], Moments] | None = None) -> None:
        self._moments, self._later = moments, later
        self.mean, self.m2 = moments.mean, moments.m2
        self.count = np.broadcast_to(moments.count, moments.mean.shape)
        same = len(moments.count) == moments.count.shape[2] == 1 and bool(moments.count.all())
        self.alike = moments.count if same else None

    @property
    def peak(self) -> NDArray[np.float64]:
        """Largest magnitude, 0 where the bin is empty, (n, L, C)."""
        if self._moments.peak is None:
            assert self._later is not None
            self._moments, self._later = self._later(), None
        assert self._moments.peak is not None
        return self._moments.peak

    def part(self, rows: slice) -> Binned:
        """Some windows in a row, without a copy."""
        own = self._moments
        count = own.count if self.alike is not None else self.count[rows]
        peak = None if own.peak is None else own.peak[rows]
        some = Moments(count, self.mean[rows], self.m2[rows], peak)
        return Binned(some, lambda: replace(some, peak=self.peak[rows]))

    def take(self, rows: NDArray[np.intp]) -> Binned:
        """Select windows."""
        return Binned(Moments(self.count[rows], self.mean[rows], self.m2[rows], self.peak[rows]))

    def hide(self, hidden: NDArray[np.bool_]) -> Binned:
        """Empty the bins where `hidden` (n, L) is True."""
        off = hidden[:, :, None]
        return Binned(
            Moments(
                np.where(off, 0.0, self.count),
                np.where(off, np.nan, self.mean),
                np.where(off, 0.0, self.m2),
                np.where(off, 0.0, self.peak),
            )
        )

    def filled(self, values: NDArray[np.float64]) -> Binned:
        """Empty bins as if each channel's number in `values` (C,) had been measured throughout.

        By as many samples as the window's fullest bin has, or by one in a window without any.
        """
        empty = self.count == 0
        if not empty.any():
            return self
        fullest = np.maximum(self.count.max(axis=(1, 2), keepdims=True), 1.0)
        return Binned(
            Moments(
                np.where(empty, fullest, self.count),
                np.where(empty, values, self.mean),
                np.where(empty, 0.0, self.m2),
                np.where(empty, np.abs(values), self.peak),
            )
        )


def bin_samples(
    samples: Samples,
    duration_s: NDArray[np.float64],
    bins: int,
    *,
    static: bool = False,
) -> Binned:
    """Bin k of a window of T seconds holds the samples with time in ``[kT/L, (k+1)T/L)``.

    By time, never by an integer step: streams of different rates agree at every instant, and
    irregular streams need nothing special. Samples outside the window are left out.

    The peak, which few ask for, is computed at its first use; samples in memory are kept for that.
    """
    given = samples, duration_s, bins, static
    # From a store samples are read once.
    if isinstance(samples.values, np.ndarray) and samples.times is None:
        return Binned(_moments(*given, peak=False), partial(_moments, *given, peak=True))
    return Binned(_moments(*given, peak=True))


def _moments(
    samples: Samples, duration_s: NDArray[np.float64], bins: int, static: bool, *, peak: bool
) -> Moments:
    """All moments, the peak where it is asked for or comes anyway, some windows at a time."""
    parts = []
    # Samples in a store, and the work on them, need not fit in memory.
    for some in samples.chunks():
        part, durations = samples.take(np.arange(some.start, some.stop)), duration_s[some]
        found = None
        if part.times is None:
            part = part if isinstance(part.values, np.ndarray) else part.loaded()
            found = regular_moments(part, durations, bins, bin_of, static=static, peak=peak)
        parts.append(found or _general_moments(part, durations, bins, static=static))
    if not parts:
        return _general_moments(samples, duration_s, bins, static=static)
    return joined(parts)


def bin_of(
    times_s: NDArray[np.float64], bins: int, duration_s: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The bin in which each time (...) in s falls, windows of durations (...) in s; any integer."""
    # The hair added keeps a sample whose time is exactly a border from falling below it.
    return np.floor(times_s * bins / duration_s + 1e-9).astype(np.int64)


def _general_moments(
    samples: Samples, duration_s: NDArray[np.float64], bins: int, *, static: bool
) -> Moments:
    """All moments, whatever the times."""
    n, channels = len(samples.starts), samples.values.shape[1]
    values, times, owner = samples.flat()
    if static:
        times = np.zeros_like(times)
    place = bin_of(times, bins, duration_s[owner])
    inside = (place >= 0) & (place < bins)
    values, cell = values[inside].astype(np.float64), (owner * bins + place)[inside]
    shape = (n * bins, channels)
    count, mean = np.zeros(shape), np.full(shape, np.nan)
    m2, peak = np.zeros(shape), np.zeros(shape)
    if len(cell):
        # Samples are ordered by window and time, so a cell is one run of rows.
        first = np.flatnonzero(np.concatenate([[True], np.diff(cell) > 0]))
        used = cell[first]
        valid = ~np.isnan(values)
        clean = np.where(valid, values, 0.0)
        runs = np.diff(np.append(first, len(cell)))
        count[used] = np.add.reduceat(valid.astype(np.float64), first, axis=0)
        sums = np.add.reduceat(clean, first, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean[used] = sums / count[used]
        deviation = np.where(valid, clean - np.repeat(mean[used], runs, axis=0), 0.0)
        m2[used] = np.add.reduceat(deviation**2, first, axis=0)
        peak[used] = np.maximum.reduceat(np.abs(clean), first, axis=0)
    full = (n, bins, channels)
    return Moments(count.reshape(full), mean.reshape(full), m2.reshape(full), peak.reshape(full))
