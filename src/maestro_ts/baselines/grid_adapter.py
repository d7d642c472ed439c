"""Samples at native rates → equal steps of each window: the only place that resamples.

Step k of T covers ``[k, k+1) · duration / T`` of its own window, so that windows of unequal
duration have equally many steps. A stream that is faster than the steps gives the mean of the
valid samples in a step, which is a filter against aliasing too; a slower one is interpolated
between the centres of its two neighbouring samples, of those that are valid; one without a rate
gives means, and lines across steps without a sample. A step that nothing of this reaches is NaN.
Every window is computed on its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Samples

__all__ = ["on_grid"]

# A line between samples that are further apart, as share of the window, says little of what was.
LONGEST_LINE = 0.25

Floats = NDArray[np.float64]


def on_grid(
    samples: Samples,
    modality: Modality,
    duration_s: Floats,
    steps: int,
    *,
    lines: bool = True,
) -> NDArray[np.float32]:
    """Values at equal steps of each window.

    Parameters
    ----------
    samples : Samples
        Of n windows.
    modality : Modality
        A static one has its value at every step.
    duration_s : ndarray, shape (n,)
    steps : int
    lines : bool
        False: nothing between samples, only the means of steps in which samples fall.

    Returns
    -------
    ndarray, shape (n, steps, C), float32
        NaN where nothing is known.
    """
    shape = (len(samples.lengths), steps, samples.values.shape[1])
    out = np.full(shape, np.nan, dtype=np.float32)
    for some in samples.chunks():
        part = samples.take(np.arange(some.start, some.stop))
        with np.errstate(over="ignore"):  # a value that float32 cannot hold is no sample's mean
            out[some] = _resampled(part, modality, duration_s[some], steps, lines)
    return out


def _resampled(
    part: Samples, modality: Modality, duration_s: Floats, steps: int, lines: bool
) -> Floats:
    values, times, owner = part.flat()
    if modality.static:
        once = _means(values, owner, np.zeros(len(values)), len(part.lengths), 1)
        return np.repeat(once, steps, axis=1)
    # The hair added keeps a sample whose time is exactly a border from falling below it.
    place = times * steps / duration_s[owner] + 1e-9
    means = _means(values, owner, place, len(part.lengths), steps)
    if not lines:
        return means
    if modality.rate_hz is None or part.times is not None:
        return _with_lines(means, values, owner, place)
    slow = np.flatnonzero(modality.rate_hz * duration_s < steps * (1 - 1e-9))
    means[slow] = _between(part.take(slow), modality.rate_hz, duration_s[slow], steps)
    return means


def _means(
    values: NDArray[np.float32], owner: NDArray[np.int64], place: Floats, n: int, steps: int
) -> Floats:
    """Mean of the valid samples of every step, (n, steps, C); NaN where there is none."""
    step = np.floor(place).astype(np.int64)
    inside = (step >= 0) & (step < steps)
    columns = []
    for column in values.T.astype(np.float64):
        valid = inside & ~np.isnan(column)
        cell = (owner * steps + step)[valid]
        count = np.bincount(cell, minlength=n * steps)
        total = np.bincount(cell, column[valid], minlength=n * steps)
        with np.errstate(invalid="ignore", divide="ignore"):
            columns.append(total / count)
    return np.stack(columns, axis=-1).reshape(n, steps, -1)


def _with_lines(
    means: Floats, values: NDArray[np.float32], owner: NDArray[np.int64], place: Floats
) -> Floats:
    """Steps without a sample: on the line between the nearest valid ones before and after."""
    n, steps, channels = means.shape
    window, step = np.divmod(np.arange(n * steps), steps)
    inside = (place >= 0) & (place < steps)
    for c in range(channels):
        rows = np.flatnonzero(inside & ~np.isnan(values[:, c]))
        empty = np.isnan(means[:, :, c]).ravel()
        at, of = step[empty] + 0.5, window[empty]
        # One rising line of all windows: no place reaches the next window's begin.
        after = np.searchsorted(owner[rows] * (steps + 1.0) + place[rows], of * (steps + 1.0) + at)
        if not len(rows):
            continue
        first, last = rows[np.maximum(after - 1, 0)], rows[np.minimum(after, len(rows) - 1)]
        known = (after > 0) & (after < len(rows)) & (owner[first] == of) & (owner[last] == of)
        gap = place[last] - place[first]
        known &= (gap > 0) & (gap <= LONGEST_LINE * steps)
        share = (at - place[first]) / np.where(gap > 0, gap, 1.0)
        line = values[first, c] * (1.0 - share) + values[last, c] * share
        means[of, step[empty], c] = np.where(known, line, np.nan)
    return means


def _between(part: Samples, rate_hz: float, duration_s: Floats, steps: int) -> Floats:
    """Weighted means of the two samples around every step's centre, with the valid ones' weights.

    Beyond the outermost centres the last value holds, for the time of one sample.
    """
    values = np.append(part.read(), np.full((1, part.values.shape[1]), np.nan), axis=0)
    centre = (np.arange(steps) + 0.5) * duration_s[:, None] / steps
    place = (centre - part.origins_s[:, None]) * rate_hz - 0.5
    last = part.lengths[:, None] - 1
    beyond = (place < -1.0) | (place > last + 1.0) | (last < 0)
    place = np.clip(place, 0.0, np.maximum(last, 0))
    low = np.floor(place).astype(np.int64)
    begin = (np.cumsum(part.lengths) - part.lengths)[:, None]
    total, weight = np.zeros((2, *place.shape, values.shape[1]))
    for index, share in ((low, 1.0 - (place - low)), (np.minimum(low + 1, last), place - low)):
        x = values[np.where(beyond, len(values) - 1, begin + index)].astype(np.float64)
        own = np.where(np.isnan(x), 0.0, share[..., None])
        total += own * np.where(np.isnan(x), 0.0, x)
        weight += own
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan)
