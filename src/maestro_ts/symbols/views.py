"""Views: what of a bin becomes a symbol. A new view is one function and one line in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.bins import Binned

__all__ = ["SUMMARY_FEATURES", "VIEWS", "View", "shape_view", "summary_features"]

CONSTANT = 1e-6  # deviation up to this share of the largest magnitude counts as constant


@dataclass(frozen=True)
class View:
    """A view's function ``(binned, floor) → (n, L, C)`` and what its values are normalised by."""

    values: Callable[[Binned, NDArray[np.float64]], NDArray[np.float64]]
    normalised_by: Literal["window", "training"]


def window_moments(binned: Binned) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population deviation of each window's valid samples, (n, 1, C) each."""
    count = binned.count.sum(axis=1, keepdims=True)
    mean = np.where(binned.count > 0, binned.mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (binned.count * mean).sum(axis=1, keepdims=True) / count
        between = binned.count * np.where(binned.count > 0, mean - centre, 0.0) ** 2
        variance = (binned.m2 + between).sum(axis=1, keepdims=True) / count
    return centre, np.sqrt(variance)


def shape_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin mean by the window's own mean and deviation: the paper's SAX.

    Invariant under shift and positive scale of a channel; a constant channel gives 0, not NaN.
    """
    centre, deviation = window_moments(binned)
    constant = deviation <= CONSTANT * binned.peak.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (binned.mean - centre) / deviation
    return np.where(constant & ~np.isnan(binned.mean), 0.0, z)


def level_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin mean (before normalisation by the training windows)."""
    return binned.mean


def spread_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the deviation within the bin plus a floor; invariant under shift."""
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.sqrt(binned.m2 / binned.count)
    return np.log(np.where(binned.count > 0, within, np.nan) + floor)


VIEWS = {
    "shape": View(shape_view, "window"),
    "level": View(level_view, "training"),
    "spread": View(spread_view, "training"),
}

SUMMARY_FEATURES = ("mean", "log_deviation", "minimum", "maximum", "spread_mean", "spread_max")


def summary_features(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Statistics of the whole window, (n, C, 6); NaN for a channel without a valid bin."""
    spread = spread_view(binned, floor)
    there = np.asarray(binned.count > 0)
    seen = np.asarray(there.any(axis=1))
    filled = np.where(there, binned.mean, 0.0)
    n_bins = np.maximum(there.sum(axis=1), 1)
    mean = filled.sum(axis=1) / n_bins
    deviation = np.sqrt((np.where(there, filled - mean[:, None], 0.0) ** 2).sum(axis=1) / n_bins)
    features = np.stack(
        [
            mean,
            np.log(deviation + floor),
            np.where(there, binned.mean, np.inf).min(axis=1),
            np.where(there, binned.mean, -np.inf).max(axis=1),
            np.where(there, spread, 0.0).sum(axis=1) / n_bins,
            np.where(there, spread, -np.inf).max(axis=1),
        ],
        axis=-1,
    )
    return np.where(seen[:, :, None], features, np.nan)
