"""Timelines, events and their matching, moment by moment and pair by pair."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

__all__ = ["slow_detected", "slow_events", "slow_onset_pairs", "slow_probability"]


def slow_probability(
    windows: list[dict[str, Any]], source: str, moment_s: float
) -> list[float] | None:
    """Mean of the probabilities of the windows with a sensor over a moment; None: unknown."""
    over = [
        w["p"]
        for w in windows
        if w["source"] == source and w["known"] and w["start"] <= moment_s < w["end"]
    ]
    if not over:
        return None
    return [sum(p[k] for p in over) / len(over) for k in range(len(over[0]))]


def slow_events(
    steps: list[float | None], threshold: float, gap: int, shortest: int
) -> list[tuple[int, int, float]]:
    """Events of a class whose probability is known at whole seconds: begin, end, mean.

    `gap` and `shortest` are whole seconds too.
    """
    events: list[list[int]] = []
    for t, p in enumerate(steps):
        if p is None or p < threshold:
            continue
        if events and t - events[-1][1] <= gap:
            events[-1][1] = t + 1
        else:
            events.append([t, t + 1])
    found = []
    for begin, end in events:
        if end - begin >= shortest:
            inside = [p for p in steps[begin:end] if p is not None]
            found.append((begin, end, sum(inside) / len(inside)))
    return found


def slow_detected(
    found: list[tuple[float, float]], truth: list[tuple[float, float]]
) -> tuple[int, int]:
    """How many true events share time with an event, and how many events with no true one."""
    shares = [[max(a, c) < min(b, d) for a, b in found] for c, d in truth]
    detected = sum(any(row) for row in shares)
    false = sum(not any(row[i] for row in shares) for i in range(len(found)))
    return detected, false


def slow_onset_pairs(found: list[float], truth: list[float], tolerance_s: float) -> int:
    """Most pairs with onsets within the tolerance, every way of pairing tried."""
    for n in range(min(len(found), len(truth)), 0, -1):
        for some in combinations(truth, n):
            for others in permutations(found, n):
                if all(abs(a - b) <= tolerance_s for a, b in zip(some, others, strict=True)):
                    return n
    return 0
