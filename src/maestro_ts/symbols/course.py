"""The course of a window: how its bins follow one another, in numbers that a straight line can use.

A summary that knows no order tells a wave from its mirror image by nothing. These features are of
the bins' means and of their spreads: trend, steps, autocorrelation, the lowest frequencies, shape
at eight points, and each channel against the next. A missing bin counts as the window's mean.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.fold import repeat

__all__ = [
    "COURSE_FEATURES",
    "LAGS",
    "LEAST_BINS",
    "POINTS",
    "SPREAD_FLOOR",
    "WAVES",
    "basis",
    "course_features",
]

LAGS = (1, 2, 4, 8)  # bins
WAVES = 8  # periods per window: 1 to this
POINTS = 8
LEAST_BINS = 3
SPREAD_FLOOR = 0.01  # of a deviation of log spreads: one per cent

_OF_SERIES = ("trend", *(f"lag_{k}" for k in LAGS), *(f"wave_{k}" for k in range(1, WAVES + 1)))
_OF_MEANS = (
    *("log_step", "skewness", "high_at", "low_at", "with_next_channel"),
    *(f"point_{k}" for k in range(1, POINTS + 1)),
)
COURSE_FEATURES = (
    *(f"mean_{name}" for name in _OF_SERIES),
    *(f"spread_{name}" for name in _OF_SERIES),
    *_OF_MEANS,
)

Array = NDArray[np.float64]


def course_features(binned: Binned, spread: Array, floor: Array) -> Array:
    """Features of the order of bins, (n, C, 39).

    NaN for a channel without a valid bin, and for what needs more bins than there are. Nothing
    changes when a channel's unit does, but ``mean_trend`` and ``log_step``, which follow it.

    Parameters
    ----------
    binned : Binned
    spread : (n, L, C)
        Log deviation within each bin.
    floor : (C,)
        Deviation that counts as none.
    """
    n, bins, channels = binned.mean.shape
    out = np.full((n, channels, len(COURSE_FEATURES)), np.nan)
    if bins < LEAST_BINS or not n:
        return out
    there = None if binned.alike is not None else binned.count > 0
    means = _deviations(binned.mean, there)
    spreads = _deviations(spread, there)
    width = len(_OF_SERIES)
    out[:, :, :width] = _of_series(means, floor)
    out[:, :, width : 2 * width] = _of_series(spreads, np.full(channels, SPREAD_FLOOR))
    out[:, :, 2 * width :] = _of_means(means, binned.mean, there, floor)
    if there is not None:
        out[~there.any(axis=1)] = np.nan
    return out


def _deviations(values: Array, there: NDArray[np.bool_] | None) -> Array:
    """From the window's mean over its valid bins, 0 where missing, (n, L, C)."""
    if there is None:
        middle: Array = values - values.mean(axis=1, keepdims=True)
        return middle
    clean = np.where(there, values, 0.0)
    mean: Array = clean.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.where(there, values - repeat(mean, values.shape[1]), 0.0)


def _of_series(z: Array, floor: Array) -> Array:
    """Trend, autocorrelation and shares of the lowest frequencies, (n, C, 13)."""
    n, bins, channels = z.shape
    ramp, waves = basis(bins)
    out = np.full((n, channels, len(_OF_SERIES)), np.nan)
    out[:, :, 0] = np.einsum("nlc,l->nc", z, ramp)
    energy = np.einsum("nlc,nlc->nc", z, z) + bins * floor**2
    for i, lag in enumerate(LAGS, start=1):
        if lag < bins:
            out[:, :, i] = np.einsum("nlc,nlc->nc", z[:, lag:], z[:, :-lag]) / energy
    parts = np.matmul(waves, z) ** 2  # (n, 2W, C): cosines, then sines
    power = parts[:, : len(waves) // 2] + parts[:, len(waves) // 2 :]
    share = power / (power.sum(axis=1) + (bins * floor) ** 2)[:, None]
    first = 1 + len(LAGS)
    out[:, :, first : first + share.shape[1]] = share.transpose(0, 2, 1)
    return out


@lru_cache(maxsize=64)
def basis(bins: int) -> tuple[Array, Array]:
    """A ramp from −1 to 1 by the number of bins, and cosines and sines, (2W, L)."""
    ramp = np.linspace(-1.0, 1.0, bins) / bins
    count = min(WAVES, (bins - 1) // 2)
    angle = 2 * np.pi * np.arange(1, count + 1)[:, None] * np.arange(bins) / bins
    return ramp, np.concatenate([np.cos(angle), np.sin(angle)])


def _of_means(z: Array, values: Array, there: NDArray[np.bool_] | None, floor: Array) -> Array:
    """What is asked of the bins' means alone, (n, C, 13)."""
    n, bins, channels = z.shape
    steps = np.abs(np.diff(values, axis=1))
    known = ~np.isnan(steps)
    if there is not None:
        steps[~known] = 0.0
    energy = np.einsum("nlc,nlc->nc", z, z)
    deviation = np.sqrt(energy / bins + floor**2)
    out = np.full((n, channels, len(_OF_MEANS)), np.nan)
    out[:, :, 0] = np.log(steps.sum(axis=1) / np.maximum(known.sum(axis=1), 1) + floor)
    out[:, :, 1] = (z**3).mean(axis=1) / deviation**3
    # Where what is above the mean lies, and what is below: places of extremes hang on rounding.
    ramp, _ = basis(bins)
    for column, side in ((2, np.maximum(z, 0.0)), (3, np.maximum(-z, 0.0))):
        out[:, :, column] = np.einsum("nlc,l->nc", side, bins * ramp) / (
            side.sum(axis=1) + bins * floor
        )
    if channels > 1:
        following = np.roll(z, -1, axis=2)
        scale = bins * deviation * np.roll(deviation, -1, axis=1)
        out[:, :, 4] = np.einsum("nlc,nlc->nc", z, following) / scale
    if bins >= POINTS:
        edges = np.linspace(0, bins, POINTS + 1).astype(int)
        sums = np.add.reduceat(z, edges[:-1], axis=1)
        points = sums / np.diff(edges)[:, None] / deviation[:, None]
        out[:, :, 5:] = points.transpose(0, 2, 1)
    return out
