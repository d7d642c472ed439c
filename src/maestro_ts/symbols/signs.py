"""Signs of a sensor that must not be believed, one number each per window and channel.

They are read from what symbols are made of. A symbol says no more of 19 deviations than of two, and
nothing of whether two bins are equal, so symbols alone tell a change of unit or a stuck sensor from
a lively or a quiet person far worse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.views import window_moments

__all__ = ["EQUAL", "SIGNS", "signs"]

SIGNS = ("stuck", "saturated", "level", "strength")
EQUAL = 1e-6  # of the magnitude: nearer is the same value; float32 has 6e-8


def signs(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signs of n windows, in the order of `SIGNS`.

    - stuck: share of neighbouring bins, both there, that hold one and the same value throughout.
    - saturated: share of the bins, beyond the first, that rest on the window's highest or lowest
      value, or that reach its largest magnitude exactly; 0 in a window that holds one value.
    - level: the mean of the window's bins.
    - strength: log of the window's deviation plus the floor.

    Parameters
    ----------
    binned : Binned
        Moments (n, L, C).
    floor : (C,)
        In the sensor's unit; see `Symbolizer`.

    Returns
    -------
    (n, C, 4)
        NaN where there is nothing to tell it by: no valid bin, or none with a valid neighbour.
    """
    there = binned.count > 0
    mean = np.where(there, binned.mean, 0.0)
    bins = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = mean.sum(axis=1) / bins
        flat = there & (np.sqrt(binned.m2 / binned.count) <= EQUAL * np.abs(mean))
        deviation = window_moments(binned)[1][:, 0]
        stuck = _stuck(mean, flat, there)
        saturated = _saturated(binned, mean, flat, there)
    strength = np.where(bins > 0, np.log(np.nan_to_num(deviation) + floor), np.nan)
    return np.stack([stuck, saturated, level, strength], axis=2)


def _stuck(
    mean: NDArray[np.float64], flat: NDArray[np.bool_], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    pair = there[:, 1:] & there[:, :-1]
    still = pair & flat[:, 1:] & flat[:, :-1] & _same(mean[:, 1:], mean[:, :-1])
    return np.asarray(still.sum(axis=1) / pair.sum(axis=1))


def _saturated(
    binned: Binned, mean: NDArray[np.float64], flat: NDArray[np.bool_], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    high = np.where(there, mean, -np.inf).max(axis=1, keepdims=True)
    low = np.where(there, mean, np.inf).min(axis=1, keepdims=True)
    peak = binned.peak
    rests = [
        flat & _same(mean, high),
        flat & _same(mean, low),
        there & _same(peak, peak.max(axis=1, keepdims=True)),
    ]
    most = np.max([rest.sum(axis=1) for rest in rests], axis=0)
    moves = ~(_same(high, low)[:, 0] & (flat | ~there).all(axis=1))
    share = np.maximum(most - 1, 0) * moves / (there.sum(axis=1) - 1)
    return np.where(there.sum(axis=1) > 1, share, np.nan)


def _same(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(a - b) <= EQUAL * np.maximum(np.abs(a), np.abs(b)))
