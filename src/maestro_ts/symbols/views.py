"""Views: what of a bin becomes a symbol. A new view is one function and one line in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.course import COURSE_FEATURES, course_features
from maestro_ts.symbols.fold import fold, repeat
from maestro_ts.symbols.moments import window_centre

__all__ = [
    "CONSTANT",
    "SUMMARY_FEATURES",
    "VIEWS",
    "View",
    "shape_view",
    "summary_features",
    "summary_names",
]

CONSTANT = 1e-6  # deviation up to this share of the largest magnitude counts as constant


@dataclass(frozen=True)
class View:
    """A view's function ``(binned, floor) → (n, L, C)`` and what its values are normalised by."""

    values: Callable[[Binned, NDArray[np.float64]], NDArray[np.float64]]
    normalised_by: Literal["window", "training"]


def window_moments(binned: Binned) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population deviation of each window's valid samples, (n, 1, C) each."""
    count = binned.count if binned.alike is None else binned.alike
    total, centre = window_centre(count, binned.mean)
    apart = binned.mean - repeat(centre[:, 0], binned.mean.shape[1])
    if binned.alike is None:
        apart[~(count > 0)] = 0.0
    np.multiply(apart, apart, out=apart)
    apart *= count
    apart += binned.m2
    with np.errstate(invalid="ignore", divide="ignore"):
        return centre, np.sqrt(fold(apart)[:, None] / total)


def shape_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin mean by the window's own mean and deviation: the paper's SAX.

    Invariant under shift and positive scale of a channel; a constant channel gives 0, not NaN.
    """
    centre, deviation = window_moments(binned)
    bins = binned.mean.shape[1]
    z = binned.mean - repeat(centre[:, 0], bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        z /= repeat(deviation[:, 0], bins)
    constant = _constant(binned, centre, deviation)
    return np.where(constant & ~np.isnan(binned.mean), 0.0, z) if constant.any() else z


def _constant(
    binned: Binned, centre: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether a window's channel does not move, (n, 1, C).

    The largest of N magnitudes lies between that of the mean and ``√N`` deviations above it, which
    nearly always decides; else, it is looked for.
    """
    count = binned.count if binned.alike is None else binned.alike
    most = np.sqrt(count.sum(axis=1, keepdims=True).max(initial=0.0)) * deviation
    low, hair = CONSTANT * np.abs(centre), 1e-9
    surely = deviation <= low * (1 - hair)
    if (surely | ~(deviation <= (low + CONSTANT * most) * (1 + hair))).all():
        return surely
    return np.asarray(deviation <= CONSTANT * binned.peak.max(axis=1, keepdims=True))


def level_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin mean (before normalisation by the training windows)."""
    return binned.mean


def spread_view(binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the deviation within the bin plus a floor; invariant under shift."""
    count = binned.count if binned.alike is None else binned.alike
    with np.errstate(invalid="ignore", divide="ignore"):
        within = binned.m2 / count  # NaN where empty
    np.sqrt(within, out=within)
    within += repeat(floor, within.shape[1])
    return np.log(within, out=within)


VIEWS = {
    "shape": View(shape_view, "window"),
    "level": View(level_view, "training"),
    "spread": View(spread_view, "training"),
}

SUMMARY_FEATURES = ("mean", "log_deviation", "minimum", "maximum", "spread_mean", "spread_max")


def summary_names(course: bool) -> tuple[str, ...]:
    """What the symbols of a channel's summary stand for, in order."""
    return SUMMARY_FEATURES + COURSE_FEATURES * course


def summary_features(
    binned: Binned, floor: NDArray[np.float64], course: bool = False
) -> NDArray[np.float64]:
    """Statistics of the whole window, (n, C, S), as `summary_names` has them.

    NaN for a channel without a valid bin.
    """
    spread, mean = spread_view(binned, floor), binned.mean
    there = np.asarray(binned.count > 0)
    seen = np.asarray(there.any(axis=1))

    def filled(values: NDArray[np.float64], blank: float) -> NDArray[np.float64]:
        return values if binned.alike is not None else np.where(there, values, blank)

    n_bins = np.maximum(there.sum(axis=1), 1)
    level = fold(filled(mean, 0.0)) / n_bins
    apart = filled(mean - repeat(level, mean.shape[1]), 0.0)
    deviation = np.sqrt(fold(apart * apart) / n_bins)
    features = np.stack(
        [
            level,
            np.log(deviation + floor),
            fold(filled(mean, np.inf), np.minimum),
            fold(filled(mean, -np.inf), np.maximum),
            fold(filled(spread, 0.0)) / n_bins,
            fold(filled(spread, -np.inf), np.maximum),
        ],
        axis=-1,
    )
    features = np.where(seen[:, :, None], features, np.nan)
    if not course:
        return features
    return np.concatenate([features, course_features(binned, spread, floor)], axis=2)
