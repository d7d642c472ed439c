"""Comparison of models on the same windows: differences by subject, areas, tests, ranks.

Subjects are what is drawn anew or paired, since the windows of one are not independent; between
data sets the data sets are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro_ts.evaluation.resampled_scores import interval

__all__ = [
    "area_weights",
    "average_ranks",
    "critical_difference",
    "difference",
    "holm",
    "mean_and_deviation",
    "wilcoxon",
]

Floats = NDArray[np.float64]


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and deviation with n − 1; no deviation of a single value."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return float(np.mean(values)), deviation


def area_weights(rates: Sequence[float]) -> Floats:
    """Weights with which the scores at rising rates add up to the area under their curve.

    By the trapezoid rule, divided by the span of the rates: the mean score of the curve.
    """
    x = np.asarray(rates, dtype=float)
    steps = np.diff(x)
    if len(x) < 2 or not (steps > 0).all():
        raise ValueError(f"two or more rising rates have an area under them, got {list(rates)}")
    weights = np.zeros(len(x))
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    return np.asarray(weights / (x[-1] - x[0]))


def difference(a: Floats, b: Floats) -> tuple[float, float | None, float | None]:
    """First minus second, with its 95 % interval.

    Parameters
    ----------
    a, b : (1 + draws,)
        Scores of everybody first, then of the same draws of subjects for both.

    Returns
    -------
    point, low, high; no interval without draws.
    """
    gaps = a - b
    known = gaps[np.r_[True, np.isfinite(gaps[1:])]]  # a draw with one class has no AUROC
    edges = interval(known)
    if edges is None:
        return float(gaps[0]), None, None
    return float(gaps[0]), float(edges[0]), float(edges[1])


def wilcoxon(a: Floats, b: Floats) -> float:
    """P of the signed-rank test that a and b, (n,) in pairs, do not differ; 1 without differences.

    Exact up to 50 pairs without ties.
    """
    from scipy.stats import wilcoxon as test

    if not np.any(a != b):
        return 1.0
    return float(test(a, b, zero_method="wilcox", method="auto").pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction of several tests' p: step down, never falling, at most 1."""
    order = np.argsort(p, kind="stable")
    corrected = np.zeros(len(p))
    largest = 0.0
    for place, i in enumerate(order):
        largest = max(largest, (len(p) - place) * p[i])
        corrected[i] = min(largest, 1.0)
    return [float(v) for v in corrected]


def average_ranks(scores: Floats) -> Floats:
    """Mean rank of each column over the rows, 1 the best (highest); ties share their mean.

    Parameters
    ----------
    scores : (blocks, models)
    """
    from scipy.stats import rankdata

    return np.asarray(rankdata(-scores, axis=1).mean(axis=0))


def critical_difference(models: int, blocks: int, level: float = 0.95) -> float:
    """Nemenyi: mean ranks that are nearer to each other do not differ (Demšar 2006)."""
    from scipy.stats import studentized_range

    q = studentized_range.ppf(level, models, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(models * (models + 1) / (6 * blocks)))
