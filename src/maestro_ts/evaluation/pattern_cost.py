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

__all__ = [
    "MissingCost",
    "ModalityCost",
    "PatternCost",
    "count_patterns",
    "counted_patterns",
    "few_patterns",
]

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
            if macs:
                rows.append(MissingCost(k, len(macs), fmean(macs), min(macs), max(macs)))
        return rows

    def by_modality(self) -> list[ModalityCost]:
        """What each modality costs, if it was counted left out and alone."""
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
    patterns: Sequence[Pattern],
) -> PatternCost:
    """Count one window under each of these patterns.

    Parameters
    ----------
    network : Network
    names : sequence of str
        Modalities that the window has.
    batch_of : callable
        Names to keep → the window as a batch of one, all others absent.
    patterns : sequence of tuple of str
        Names to keep, all of them among others.
    """
    return PatternCost(tuple(names), {p: count_macs(network, batch_of(p)) for p in patterns})


def counted_patterns(names: Sequence[str]) -> list[Pattern]:
    """Modalities kept, largest first: every pattern that keeps one, up to eight modalities.

    Beyond: all, each left out, each alone, and eight of every other size (`_on_ring`). What a
    single modality costs needs the window without it: then that is one more.
    """
    n = len(names)
    if n == 1:
        return [tuple(names), ()]
    found: list[Pattern] = []
    for size in range(n, 0, -1):
        every = n <= 8 or size in (n, n - 1, 1)
        found += combinations(names, size) if every else _on_ring(names, size, 8)
    return found


def few_patterns(names: Sequence[str]) -> list[Pattern]:
    """Enough for means and ranges: at most 63 patterns whatever the number of modalities.

    Every pattern up to six; beyond, all, and four of each of at most twelve sizes.
    """
    n = len(names)
    if n <= 6:
        return [kept for size in range(n, 0, -1) for kept in combinations(names, size)]
    sizes = np.unique(np.linspace(1, n - 1, min(12, n - 1)).round().astype(int))
    rest = [kept for size in sizes[::-1] for kept in _on_ring(names, int(size), 4)]
    return [tuple(names), *rest]


def _on_ring(names: Sequence[str], size: int, count: int) -> list[Pattern]:
    """Neighbours on a ring, from places at equal distances: each is absent about equally often.

    On the ring is one random order, of a fixed seed.
    """
    n = len(names)
    order = np.random.default_rng(SEED).permutation(n)
    starts = [place * n // count for place in range(count)]
    chosen = [sorted(order[(start + i) % n] for i in range(size)) for start in starts]
    return [tuple(names[i] for i in kept) for kept in chosen]
