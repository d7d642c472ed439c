"""Shapley values and what follows from them, by their definitions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations, permutations
from math import factorial

Worth = Callable[[frozenset[int]], float]


def subsets(players: frozenset[int]) -> list[frozenset[int]]:
    sizes = (combinations(sorted(players), k) for k in range(len(players) + 1))
    return [frozenset(s) for s in chain.from_iterable(sizes)]


def slow_shapley(worth: Worth, n: int) -> list[float]:
    """What each adds on arrival, averaged over all orders."""
    totals = [0.0] * n
    for order in permutations(range(n)):
        there: frozenset[int] = frozenset()
        for player in order:
            totals[player] += worth(there | {player}) - worth(there)
            there |= {player}
    return [total / factorial(n) for total in totals]


def slow_interaction(worth: Worth, n: int, i: int, j: int) -> float:
    """Grabisch and Roubens' index of a pair, term by term."""
    total = 0.0
    for s in subsets(frozenset(range(n)) - {i, j}):
        weight = factorial(len(s)) * factorial(n - len(s) - 2) / factorial(n - 1)
        total += weight * (worth(s | {i, j}) - worth(s | {i}) - worth(s | {j}) + worth(s))
    return total


def slow_front(costs: list[float], worths: list[float]) -> set[tuple[float, float]]:
    """Costs and worths of what nothing else beats."""
    points = list(zip(costs, worths, strict=True))
    return {
        (c, w)
        for c, w in points
        if not any((d <= c and v > w) or (d < c and v >= w) for d, v in points)
    }


def slow_smallest(worth: Worth, n: int, share: float) -> tuple[int, float]:
    """Size and worth of the smallest set that keeps a share, the best of its size."""
    everyone = frozenset(range(n))
    nobody, total = worth(frozenset()), worth(everyone)
    asked = nobody + share * (total - nobody)
    enough = [s for s in subsets(everyone) if worth(s) >= asked - 1e-12 or s == everyone]
    fewest = min(len(s) for s in enough)
    return fewest, max(worth(s) for s in enough if len(s) == fewest)
