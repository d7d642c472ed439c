"""Comparisons of models by loops over draws, pairs and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from sklearn.metrics import f1_score


def area(rates: Sequence[float], scores: Sequence[float]) -> float:
    """Trapezoids one by one, over their span."""
    total = 0.0
    for i in range(len(rates) - 1):
        total += (rates[i + 1] - rates[i]) * (scores[i] + scores[i + 1]) / 2
    return total / (rates[-1] - rates[0])


def holm(p: Sequence[float]) -> list[float]:
    """Every corrected p as the largest of the steps up to its own."""
    ordered = sorted(p)
    steps = [min(1.0, max((len(p) - j) * ordered[j] for j in range(i + 1))) for i in range(len(p))]
    return [steps[ordered.index(value)] for value in p]


def signed_rank_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided P over all signs of the differences, which must differ in size and from 0."""
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    sizes = sorted(abs(g) for g in gaps)
    ranks = [sizes.index(abs(g)) + 1 for g in gaps]
    seen = sum(r for r, g in zip(ranks, gaps, strict=True) if g > 0)
    sums = [
        sum(r for r, up in zip(ranks, signs, strict=True) if up)
        for signs in product((0, 1), repeat=len(gaps))
    ]
    low = sum(s <= seen for s in sums) / len(sums)
    high = sum(s >= seen for s in sums) / len(sums)
    return min(1.0, 2 * min(low, high))


def rank(scores: Sequence[float], i: int) -> float:
    """1 for the highest; those that are equal share the mean of their places."""
    better = sum(s > scores[i] for s in scores)
    equal = sum(s == scores[i] for s in scores)
    return better + (equal + 1) / 2


def paired_gaps(
    truth: np.ndarray,
    a: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    subjects: np.ndarray,
    counts: np.ndarray,
) -> list[float]:
    """Macro-F1 of a minus b, mean over seeds, for each row of how often a subject counts."""
    people = np.unique(subjects)
    gaps = []
    for row in counts:
        rows = np.concatenate(
            [
                np.tile(np.flatnonzero(subjects == s), int(k))
                for s, k in zip(people, row, strict=True)
            ]
        )
        f1 = [
            np.mean([f1_score(truth[rows], p[rows], average="macro") for p in of]) for of in (a, b)
        ]
        gaps.append(f1[0] - f1[1])
    return gaps
