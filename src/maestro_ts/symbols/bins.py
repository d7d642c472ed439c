"""Time → bin: what the samples of a window amount to in equal slices of its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples

__all__ = ["Binned", "bin_samples"]


@dataclass(frozen=True)
class Binned:
    """Moments of the valid samples per window, bin and channel, each (n, L, C) float64.

    Enough to compute every view after bins have been hidden, without the samples.

    Attributes
    ----------
    count : number of valid samples
    mean : NaN where the bin is empty
    m2 : sum of squared deviations from the bin's mean
    peak : largest magnitude, 0 where empty
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]
    peak: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> Binned:
        """Select windows."""
        return Binned(self.count[rows], self.mean[rows], self.m2[rows], self.peak[rows])

    def hide(self, hidden: NDArray[np.bool_]) -> Binned:
        """Empty the bins where `hidden` (n, L) is True."""
        off = hidden[:, :, None]
        return Binned(
            np.where(off, 0.0, self.count),
            np.where(off, np.nan, self.mean),
            np.where(off, 0.0, self.m2),
            np.where(off, 0.0, self.peak),
        )


def bin_samples(
    samples: Samples, duration_s: NDArray[np.float64], bins: int, *, static: bool = False
) -> Binned:
    """Bin k of a window of T seconds holds the samples with time in ``[kT/L, (k+1)T/L)``.

    By time, never by an integer step: streams of different rates agree at every instant, and
    irregular streams need nothing special. Samples outside the window are left out.
    """
    # Some windows at a time: samples in a store, and the work on them, need not fit in memory.
    parts = [
        _bin(samples.take(np.arange(p.start, p.stop)), duration_s[p], bins, static=static)
        for p in samples.chunks()
    ]
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros((0, bins, samples.values.shape[1]))
    return Binned(
        *(
            np.concatenate([empty, *(getattr(part, moment) for part in parts)])
            for moment in ("count", "mean", "m2", "peak")
        )
    )


def _bin(samples: Samples, duration_s: NDArray[np.float64], bins: int, *, static: bool) -> Binned:
    n, channels = len(samples.starts), samples.values.shape[1]
    values, times, owner = samples.flat()
    if static:
        times = np.zeros_like(times)
    # The hair added keeps a sample whose time is exactly a border from falling below it.
    place = np.floor(times * bins / duration_s[owner] + 1e-9).astype(np.int64)
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
    return Binned(count.reshape(full), mean.reshape(full), m2.reshape(full), peak.reshape(full))
