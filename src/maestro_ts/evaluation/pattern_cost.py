"""What a window costs with each pattern of absent modalities, or with a fixed set of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.cost import count_macs

__all__ = ["MissingCost", "ModalityCost", "PatternCost", "count_patterns", "counted_patterns"]

Pattern = tuple[str, ...]

SEED = 0


@dataclass(frozen=True)
class MissingCost:
    """Multiply-accumulates of a window with so many modalities absent, over `patterns` patterns."""

    missing: int
    patterns: int
    macs: float
    lowest: int
    highest: int


@dataclass(frozen=True)
class ModalityCost:
    """Multiply-accumulates: what is saved if only this one is absent; a window with it alone."""

    modality: str
    own: int
    alone: int


@dataclass(frozen=True)
class PatternCost:
    """Multiply-accumulates of one window by the modalities that are present.

    Attributes
    ----------
    names : tuple of str
        All modalities.
    macs : dict of tuple of str to int
    """

    names: Pattern
    macs: Mapping[Pattern, int]

    @property
    def full(self) -> int:
        """With every modality."""
        return self.macs[self.names]

    def by_missing(self) -> list[MissingCost]:
        """Mean and range over the counted patterns with 0, 1, … absent; one stays."""
        rows = []
        for k in range(len(self.names)):
            macs = [v for kept, v in self.macs.items() if len(kept) == len(self.names) - k]
            rows.append(MissingCost(k, len(macs), fmean(macs), min(macs), max(macs)))
        return rows

    def by_modality(self) -> list[ModalityCost]:
        """What each modality costs."""
        return [
            ModalityCost(
                name,
                self.full - self.macs[tuple(n for n in self.names if n != name)],
                self.macs[(name,)],
            )
            for name in self.names
        ]


def count_patterns(
    network: Network,
    names: Sequence[str],
    batch_of: Callable[[Pattern], Batch],
    *,
    few: int = 8,
    drawn: int = 8,
) -> PatternCost:
    """Count one window under every counted pattern.

    Parameters
    ----------
    network : Network
    names : sequence of str
        Modalities that the window has.
    batch_of : callable
        Names to keep → the window as a batch of one, all others absent.
    few, drawn : int
        See `counted_patterns`.
    """
    patterns = counted_patterns(names, few=few, drawn=drawn)
    return PatternCost(tuple(names), {p: count_macs(network, batch_of(p)) for p in patterns})


def counted_patterns(names: Sequence[str], *, few: int = 8, drawn: int = 8) -> list[Pattern]:
    """Modalities kept, largest first: always all, each left out and each alone.

    Up to `few` modalities every pattern that keeps one; beyond, `drawn` patterns of every other
    size: neighbours in one random order (of a fixed seed) that is closed to a ring, from places at
    equal distances, so that every modality is absent about equally often. What a single
    modality costs needs the window without it: then that is counted too.
    """
    n = len(names)
    if n == 1:
        return [tuple(names), ()]
    order = np.random.default_rng(SEED).permutation(n)
    count = min(drawn, n)
    found: list[Pattern] = []
    for size in range(n, 0, -1):
        if n <= few or size in (n, n - 1, 1):
            found += combinations(names, size)
            continue
        for start in (place * n // count for place in range(count)):
            kept = sorted(order[(start + i) % n] for i in range(size))
            found.append(tuple(names[i] for i in kept))
    return found
