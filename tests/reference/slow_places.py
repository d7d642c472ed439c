"""Where windows lie and what they are called: one window at a time, by looking at every piece."""

from __future__ import annotations

from itertools import pairwise

from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.signals.window_spec import WindowSpec

CLOSE_S = 1e-9


def slow_places(recording: Recording, spec: WindowSpec) -> list[tuple[float, str]]:
    """Begin and label of every window of a labelled recording cut by a step."""
    found = []
    step = spec.step_s or spec.duration_s
    firsts = [0.0]
    if spec.label_rule == "inside":
        firsts = [i.start_s for i in recording.labels]
    for number, first in enumerate(firsts):
        k = 0
        while first + k * step < recording.duration_s:
            start = first + k * step
            k += 1
            inside = min(start + spec.duration_s, recording.duration_s) - start
            if start < 0 or inside < spec.min_inside * spec.duration_s - CLOSE_S:
                continue
            if spec.label_rule == "inside":
                own = recording.labels[number]
                if start + inside <= own.end_s + CLOSE_S:
                    found.append((start, own.label))
                continue
            labels = slow_labels(recording.labels, start, start + inside, spec)
            if len(labels) == 1:
                found.append((start, labels[0]))
    return found


def slow_labels(
    intervals: tuple[Interval, ...], start: float, end: float, spec: WindowSpec
) -> list[str]:
    """Every label that qualifies."""
    names = sorted({i.label for i in intervals})
    if spec.label_rule == "start":
        return [n for n in names if _holds(intervals, n, start + CLOSE_S)]
    if spec.label_rule == "end":
        return [n for n in names if _holds(intervals, n, end - CLOSE_S)]
    held = {n: _seconds(intervals, n, start, end) for n in names}
    return [n for n in names if held[n] > 0 and held[n] >= spec.purity * (end - start) - 1e-6]


def _holds(intervals: tuple[Interval, ...], name: str, at: float) -> bool:
    return any(i.label == name and i.start_s <= at < i.end_s for i in intervals)


def _seconds(intervals: tuple[Interval, ...], name: str, start: float, end: float) -> float:
    """Between two borders of intervals a label holds throughout or not at all."""
    borders = {start, end, *(t for i in intervals for t in (i.start_s, i.end_s))}
    inside = sorted(t for t in borders if start <= t <= end)
    return sum(b - a for a, b in pairwise(inside) if _holds(intervals, name, (a + b) / 2))
