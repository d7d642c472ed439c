"""Signs of faults and drift the slow and obvious way: one channel of one window at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from reference.slow_symbols import Cells, deviation, mean

EQUAL = 1e-6


def same(a: float, b: float) -> bool:
    return abs(a - b) <= EQUAL * max(abs(a), abs(b))


def slow_signs(cells: Cells, floor: float) -> list[float]:
    """Stuck, saturated, level and strength of one channel of a window."""
    there = [cell for cell in cells if cell]
    if not there:
        return [math.nan] * 4
    pairs = [(a, b) for a, b in pairwise(cells) if a and b]
    still = [one_value(a) and one_value(b) and same(mean(a), mean(b)) for a, b in pairs]
    stuck = sum(still) / len(pairs) if pairs else math.nan
    samples = [x for cell in there for x in cell]
    level = mean([mean(cell) for cell in there])
    return [stuck, slow_saturated(there), level, math.log(deviation(samples) + floor)]


def one_value(cell: list[float]) -> bool:
    return deviation(cell) <= EQUAL * abs(mean(cell))


def slow_saturated(there: Cells) -> float:
    if len(there) == 1:
        return math.nan
    means = [mean(cell) for cell in there]
    peaks = [max(abs(x) for x in cell) for cell in there]
    if same(max(means), min(means)) and all(one_value(cell) for cell in there):
        return 0.0
    high = sum(one_value(c) and same(mean(c), max(means)) for c in there)
    low = sum(one_value(c) and same(mean(c), min(means)) for c in there)
    reach = sum(same(p, max(peaks)) for p in peaks)
    return max(max(high, low, reach) - 1, 0) / (len(there) - 1)


def slow_distance(one: Sequence[int], other: Sequence[int]) -> float:
    """Jensen–Shannon distance in bits of two histograms."""
    p = [x / sum(one) for x in one]
    q = [x / sum(other) for x in other]
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        for share in (a, b):
            if share > 0:
                total += share / 2 * math.log2(share / middle)
    return math.sqrt(max(total, 0.0))


def slow_limit(histograms: Sequence[Sequence[int]], subjects: Sequence[str], size: int) -> float:
    """Largest distance of `size` windows in a row of one person from all others' windows."""
    furthest = math.nan
    for person in sorted(set(subjects)):
        own = [h for h, s in zip(histograms, subjects, strict=True) if s == person]
        rest = [h for h, s in zip(histograms, subjects, strict=True) if s != person]
        for first in range(0, len(own) - size + 1, size):
            piece = [sum(column) for column in zip(*own[first : first + size], strict=True)]
            found = slow_distance(piece, [sum(column) for column in zip(*rest, strict=True)])
            furthest = found if math.isnan(furthest) else max(furthest, found)
    return furthest
