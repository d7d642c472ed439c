"""Metrics of estimated numbers; intervals by subject: its windows are not independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NUMBER_METRICS", "number_intervals", "number_metrics"]

NUMBER_METRICS = ("mae", "rmse", "r2")
Floats = NDArray[np.float64]


def number_metrics(truth: Floats, estimates: Floats) -> dict[str, float | None]:
    """Mean absolute error, root mean squared error and R² of estimates, both (n,).

    R² is the share of the spread about the truth's own mean that is explained; None of fewer than
    two different numbers.
    """
    found = _of_sums(_sums(truth, estimates, float(truth.mean())).sum(axis=0)[None])
    return {name: None if np.isnan(v[0]) else float(v[0]) for name, v in found.items()}


def number_intervals(
    truth: Floats,
    estimates: Floats,
    subjects: NDArray[np.str_],
    rng: np.random.Generator,
    repeats: int = 1000,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of the metrics: subjects are drawn with all their windows.

    Draws without an R² do not count for it; it has no interval when there are no others.
    """
    owner = np.unique(subjects, return_inverse=True)[1]
    n = int(owner.max()) + 1
    sums = np.zeros((n, 5))
    # About the common mean: squares of numbers far from 0 would cancel each other.
    np.add.at(sums, owner, _sums(truth, estimates, float(truth.mean())))
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=repeats)
    edges = [(1 - level) / 2, (1 + level) / 2]
    spans = {}
    for name, values in _of_sums(drawn @ sums).items():
        known = values[~np.isnan(values)]
        if len(known):
            low, high = np.quantile(known, edges)
            spans[name] = (float(low), float(high))
    return spans


def _sums(truth: Floats, estimates: Floats, middle: float) -> Floats:
    """What the metrics are made of, of each window [n, 5]; they add up."""
    error, away = estimates - truth, truth - middle
    return np.stack([np.ones(len(truth)), np.abs(error), error**2, away, away**2], axis=1)


def _of_sums(sums: Floats) -> dict[str, Floats]:
    """Metrics of sums [..., 5]; NaN where there is no R²."""
    n, absolute, squared, away, away_squared = np.moveaxis(sums, -1, 0)
    spread = away_squared - away**2 / n
    # Rounding leaves a hair of spread in equal numbers.
    there = spread > 1e-12 * np.maximum(away_squared, 1e-300)
    share = squared / np.where(there, spread, 1.0)
    return {
        "mae": absolute / n,
        "rmse": np.sqrt(squared / n),
        "r2": np.where(there, 1.0 - share, np.nan),
    }
