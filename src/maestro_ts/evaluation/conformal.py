"""Conformal thresholds for classes that may be the true one, with subjects as what is exchangeable.

The score of a class is 1 − its probability, and a set holds all classes whose score is at most a
threshold: the smallest sets on average of all with the same coverage (Sadinle, Lei and Wasserman
2019, "Least ambiguous set-valued classifiers with bounded error levels"), with no tie to break at
random and nothing to tune. Adaptive sets always hold the class at which the sum of probabilities
passes the level, so a sure answer is never a single class. A set here may be empty: no class is
likely enough.

Windows of one person resemble each other, so it is people that are exchangeable. Every subject has
the same weight, shared by its windows, and the next one has it, too, at infinity: Lee, Barber and
Willett (2023), "Distribution-free inference with hierarchical data". With one window a subject this
is split conformal prediction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError

__all__ = ["GRID", "attainable", "check_coverage", "grid_row", "thresholds"]

GRID = np.arange(201) / 200.0  # coverages whose thresholds are kept; others are rounded up


def thresholds(scores: NDArray[np.float64], subjects: NDArray[np.str_]) -> NDArray[np.float64]:
    """Thresholds for every coverage of `GRID`, [201], never falling.

    Parameters
    ----------
    scores : (n,)
        1 − probability of the true class.
    subjects : (n,)

    Returns
    -------
    ndarray
        Infinite where there are too few subjects: no set but that of all classes is sure enough.
    """
    owner, size = np.unique(subjects, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum((1.0 / (size * (len(size) + 1)))[owner[order]])
    at = np.searchsorted(reached, GRID - 1e-12)  # a hair: sums of shares are rounded
    return np.append(scores[order], np.inf)[at]


def attainable(subjects: int) -> float:
    """The largest coverage that so many subjects can vouch for with less than all classes."""
    return subjects / (subjects + 1)


def check_coverage(coverage: float) -> None:
    """Refuse what no set but that of all classes, or no set at all, can have."""
    if not 0.0 < coverage <= GRID[-2]:
        raise ConfigError(
            f"a coverage lies between 0 and {GRID[-2]:g}, got {coverage!r}.", fix="Ask for 0.9."
        )


def grid_row(coverage: float) -> int:
    """The place on `GRID` of this coverage or the next larger one."""
    return int(np.searchsorted(GRID, coverage - 1e-12))
