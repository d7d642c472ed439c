"""Bounds of the signs of a sensor: what the training people show is no fault.

Levels and strengths differ between people, so each training person's are taken relative to those of
the others: what of a person nobody else vouches for does not make the bounds narrow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.signs import EQUAL, SIGNS

__all__ = ["LEAST", "RATE", "learn_bounds", "outside"]

RATE = 1e-3  # of the training windows, per modality, may be taken for a fault
SLACK = 1.0  # deviations more for levels and strengths: people are few, and faults are gross
LEAST = {"stuck": 0.25, "saturated": 0.1}  # of a window's bins; below, a sensor is of use anyway


def learn_bounds(found: NDArray[np.float64], subjects: NDArray[np.str_]) -> NDArray[np.float64]:
    """Lowest and highest trusted value of every sign of one modality.

    Each of the channels' bounds is overstepped by so few training windows that all of them together
    are by at most `RATE`. With fewer windows than that takes, it is overstepped by none.

    Parameters
    ----------
    found : (n, C, 4)
        `signs` of training windows.
    subjects : (n,)
        With one only, levels and strengths are bounded by what the windows have.

    Returns
    -------
    (2, C, 4)
        Infinite where there is no bound.
    """
    channels = found.shape[1]
    bounds = np.empty((2, channels, len(SIGNS)))
    bounds[0], bounds[1] = -np.inf, np.inf
    share = RATE / (channels * (len(LEAST) + 2 * (len(SIGNS) - len(LEAST))))
    for c in range(channels):
        for s, name in enumerate(SIGNS):
            known = ~np.isnan(found[:, c, s])
            values = found[known, c, s]
            if not len(values):
                continue
            highest = _exceeded(values, share)
            if name in LEAST:
                bounds[1, c, s] = max(highest, LEAST[name])
                continue
            apart = _apart(values, subjects[known])
            mean, deviation = values.mean(), values.std()
            bounds[1, c, s] = max(highest, mean + deviation * _exceeded(apart, share))
            lowest = -_exceeded(-values, share)
            bounds[0, c, s] = min(lowest, mean - deviation * _exceeded(-apart, share))
            bounds[:, c, s] += np.array([-SLACK, SLACK]) * deviation
            # A channel that never moved in training must not be judged by rounding.
            bounds[:, c, s] += np.array([-EQUAL, EQUAL]) * np.abs(values).max()
    return bounds


def outside(found: NDArray[np.float64], bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether some channel's sign is beyond its bounds, (n, 4)."""
    return np.asarray(((found < bounds[0]) | (found > bounds[1])).any(axis=1))


def _exceeded(values: NDArray[np.float64], share: float) -> float:
    """The smallest of the values that at most this share of them is above."""
    return float(np.sort(values)[::-1][int(share * len(values))])


def _apart(values: NDArray[np.float64], subjects: NDArray[np.str_]) -> NDArray[np.float64]:
    """Values of each person, in deviations from the mean of all others; 0 with one person."""
    apart = np.zeros(len(values))
    for person in np.unique(subjects):
        own = subjects == person
        others = values[~own]
        if len(others) and others.std() > 0:
            apart[own] = (values[own] - others.mean()) / others.std()
    return apart
