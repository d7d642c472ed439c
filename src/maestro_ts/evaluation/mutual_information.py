"""How much the choice of an expert says of a pattern or a modality, against shuffled ones.

Counts are of tokens: ``[P, n, J, E]`` for P patterns of missing sensors, under each of which the
same n windows were seen, J kinds of tokens and E experts. Shuffles stay within a window, so that
what one person's windows have in common is in them as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Information", "normalised", "of_kinds", "of_patterns", "of_patterns_within_kinds"]

Floats = NDArray[np.float64]
SHUFFLES = 200
UPPER = 0.95  # of the shuffles


@dataclass(frozen=True)
class Information:
    """Normalised mutual information of a choice and something else, between 0 and 1.

    Attributes
    ----------
    value : float
    shuffled_mean, shuffled_upper : float
        Mean and 95th percentile of 200 shuffles.
    """

    value: float
    shuffled_mean: float
    shuffled_upper: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def of_patterns(counts: Floats, rng: np.random.Generator) -> Information:
    """Of expert and missing pattern, over all tokens.

    Sensors that are not there have fewer tokens, and this counts too: see
    `of_patterns_within_kinds` for what is left of it.
    """
    served = counts.sum(axis=2)  # [P, n, E]
    return _compared(
        normalised(served.sum(axis=1)), lambda: normalised(_shuffled(served, rng).sum(axis=1))
    )


def of_patterns_within_kinds(counts: Floats, rng: np.random.Generator) -> Information:
    """Of expert and missing pattern among tokens of one kind, averaged over kinds by tokens."""
    parts = []
    for j in range(counts.shape[2]):
        patterns = counts[:, :, j].sum(axis=(1, 2)) > 0
        of_kind = counts[patterns, :, j]
        # Only windows that have the kind under each of these patterns can be shuffled.
        of_kind = of_kind[:, (of_kind.sum(axis=2) > 0).all(axis=0)]
        if of_kind.size and len(of_kind) > 1:
            parts.append(of_kind)
    weights = np.array([part.sum() for part in parts])
    if not len(parts) or not weights.sum():
        return Information(0.0, 0.0, 0.0)

    def mean(each: list[Floats]) -> float:
        found = [normalised(part.sum(axis=1)) for part in each]
        return float(np.average(found, weights=weights))

    return _compared(mean(parts), lambda: mean([_shuffled(part, rng) for part in parts]))


def of_kinds(counts: Floats, rng: np.random.Generator) -> Information:
    """Of expert and kind of token, over all patterns; kinds are shuffled within each window."""
    rows = counts.reshape(-1, *counts.shape[2:])  # [R, J, E]
    there = rows.sum(axis=2) > 0
    # Kinds that a window has come first, in order and in a drawn order; the others stay in place.
    place = np.argsort(~there, axis=1, kind="stable")
    windows = np.arange(len(rows))[:, None]

    def shuffle() -> float:
        drawn = np.argsort(np.where(there, rng.random(there.shape), 2.0), axis=1, kind="stable")
        moved = np.empty_like(rows)
        moved[windows, place] = rows[windows, drawn]
        return normalised(moved.sum(axis=0))

    return _compared(normalised(rows.sum(axis=0)), shuffle)


def normalised(table: Floats) -> float:
    """Mutual information of rows and columns over the geometric mean of their entropies.

    Parameters
    ----------
    table : (R, C)
        How often they met; 0 where one of them never varies.
    """
    joint = table / max(float(table.sum()), 1e-300)
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    entropies = _entropy(rows) * _entropy(columns)
    if entropies <= 0:
        return 0.0
    shared = _entropy(rows) + _entropy(columns) - _entropy(joint.ravel())
    return float(max(shared, 0.0) / np.sqrt(entropies))


def _entropy(shares: Floats) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())


def _shuffled(served: Floats, rng: np.random.Generator) -> Floats:
    """[P, n, E] with the patterns of each window in a drawn order."""
    order = rng.random(served.shape[:2]).argsort(axis=0)
    n = served.shape[1]
    rows = served.reshape(-1, served.shape[2])
    return np.asarray(np.take(rows, order * n + np.arange(n), axis=0))


def _compared(value: float, shuffle: Callable[[], float]) -> Information:
    drawn = np.array([shuffle() for _ in range(SHUFFLES)])
    return Information(value, float(drawn.mean()), float(np.quantile(drawn, UPPER)))
