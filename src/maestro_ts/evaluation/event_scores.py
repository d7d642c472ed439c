"""Events found against true ones: sensitivity, and false alarms per hour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.evaluation.events import Event, EventRule, find_events
from maestro_ts.evaluation.timeline import HAIR_S, Timeline

__all__ = ["EventScores", "score_events", "sensitivity_at", "sensitivity_curve"]

RULES = ("overlap", "onset")


@dataclass(frozen=True)
class EventScores:
    """How events that were found match the true ones.

    Attributes
    ----------
    true, detected : int
        True events, and how many of them were detected.
    unwatched : int
        True events about whose time nothing is known; they count as not detected.
    found, false_alarms : int
        Events found, and how many of them match no true one.
    watched_h : float
        Hours about which something is known.
    delay_s : float or None
        Median of onset found minus true onset; None if nothing was detected.
    """

    true: int
    detected: int
    unwatched: int
    found: int
    false_alarms: int
    watched_h: float
    delay_s: float | None

    @property
    def sensitivity(self) -> float | None:
        """Share of the true events that were detected; None if there are none."""
        return self.detected / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        """Share of the events found that are true; None if there are none."""
        return 1 - self.false_alarms / self.found if self.found else None

    @property
    def false_alarms_per_h(self) -> float | None:
        """False alarms per hour watched; None if nothing was watched."""
        return self.false_alarms / self.watched_h if self.watched_h else None


def score_events(
    found: Sequence[Event],
    truth: Sequence[Event],
    timeline: Timeline,
    *,
    match: str = "overlap",
    tolerance_s: float = 0.0,
) -> EventScores:
    """Match events of the same recording and class.

    Parameters
    ----------
    found : list of Event
        Of the classes that are scored, and no others: what matches nothing is a false alarm.
    truth : list of Event
    timeline : Timeline
        Tells which time was watched.
    match : str
        ``overlap``: a true event is detected if an event shares time with it (a common border is
        none), and an event that shares time with no true one is a false alarm; several may match
        one. ``onset``: pairs, each event in one at most and as many as possible, whose onsets
        differ by at most the tolerance.
    tolerance_s : float
        With ``overlap`` true events are longer by this at both ends.

    Raises
    ------
    ConfigError
        Another rule, or a negative tolerance.
    DataError
        An event that ends before it begins, or lies in no recording of the timeline.
    """
    if match not in RULES:
        raise ConfigError(f"unknown rule {match!r} to match events.", fix=nearest(match, RULES))
    if not 0.0 <= tolerance_s < math.inf:
        raise ConfigError(f"tolerance_s is {tolerance_s}; it is 0 or more seconds.")
    _check([*found, *truth], timeline)
    pairing = _overlaps if match == "overlap" else _near_onsets
    detected, right, delays = 0, 0, []
    for key in sorted({(e.source, e.label) for e in truth}):
        mine, theirs = _times(found, key), _times(truth, key)
        of_truth, of_found = pairing(mine, theirs, tolerance_s)
        detected += int((of_truth >= 0).sum())
        right += int(of_found.sum())
        hit = of_truth >= 0
        delays += (mine[of_truth[hit], 0] - theirs[hit, 0]).tolist()
    return EventScores(
        true=len(truth),
        detected=detected,
        unwatched=_unwatched(truth, timeline),
        found=len(found),
        false_alarms=len(found) - right,
        watched_h=timeline.hours(known=True),
        delay_s=float(np.median(delays)) if delays else None,
    )


def sensitivity_curve(
    timeline: Timeline,
    truth: Sequence[Event],
    rule: EventRule,
    thresholds: Iterable[float] = tuple(np.linspace(0.01, 0.99, 99)),
    *,
    match: str = "overlap",
    tolerance_s: float = 0.0,
) -> list[tuple[float, EventScores]]:
    """Scores at each threshold; true events of classes that the rule does not name are left out.

    Parameters
    ----------
    timeline : Timeline
    truth : list of Event
    rule : EventRule
        Its own threshold is not used.
    thresholds : iterable of float
    match, tolerance_s
        As in `score_events`.
    """
    labels = rule.chosen(timeline.classes)
    wanted = [e for e in truth if e.label in labels]
    curve = []
    for threshold in thresholds:
        found = find_events(timeline, replace(rule, threshold=float(threshold)))
        scores = score_events(found, wanted, timeline, match=match, tolerance_s=tolerance_s)
        curve.append((float(threshold), scores))
    return curve


def sensitivity_at(
    curve: Sequence[tuple[float, EventScores]], false_alarms_per_h: float
) -> tuple[float, EventScores] | None:
    """The most sensitive point of a curve with at most so many false alarms per hour.

    Of equally sensitive points the one with the fewest false alarms; None if every point has more,
    there is no true event, or nothing was watched.
    """
    allowed = [
        (threshold, s)
        for threshold, s in curve
        if s.sensitivity is not None
        and s.false_alarms_per_h is not None
        and s.false_alarms_per_h <= false_alarms_per_h
    ]
    return max(allowed, key=lambda p: (p[1].detected, -p[1].false_alarms), default=None)


def _check(events: Sequence[Event], timeline: Timeline) -> None:
    known = set(timeline.sources.tolist())
    for e in events:
        if not (math.isfinite(e.onset_s) and e.onset_s <= e.offset_s < math.inf):
            raise DataError(
                f"an event from {e.onset_s} to {e.offset_s} s.", where=f"{e.label} in {e.source}"
            )
        if e.source not in known:
            raise DataError(
                "an event of a recording that is not on the timeline.",
                where=f"{e.label} in {e.source}",
                fix=nearest(e.source, known) if known else "",
            )


def _times(events: Sequence[Event], key: tuple[str, str]) -> NDArray[np.float64]:
    """Onsets and offsets (n, 2) of a recording's events of a class, by onset."""
    times = sorted((e.onset_s, e.offset_s) for e in events if (e.source, e.label) == key)
    return np.array(times, dtype=np.float64).reshape(-1, 2)


def _overlaps(
    found: NDArray[np.float64], truth: NDArray[np.float64], tolerance_s: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each true event the first event that shares time with it, or -1; and who matches any."""
    of_truth = np.full(len(truth), -1)
    of_found = np.zeros(len(found), dtype=bool)
    reach = tolerance_s - HAIR_S
    for i, (begin, end) in enumerate(truth):
        hit = (found[:, 0] < end + reach) & (found[:, 1] > begin - reach)
        of_found |= hit
        if hit.any():
            of_truth[i] = int(hit.argmax())
    return of_truth, of_found


def _near_onsets(
    found: NDArray[np.float64], truth: NDArray[np.float64], tolerance_s: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """As many pairs as possible: on a line, pairing the earliest that fit is the best there is."""
    of_truth = np.full(len(truth), -1)
    of_found = np.zeros(len(found), dtype=bool)
    i = j = 0
    while i < len(found) and j < len(truth):
        difference = found[i, 0] - truth[j, 0]
        if abs(difference) <= tolerance_s + HAIR_S:
            of_truth[j], of_found[i] = i, True
            i, j = i + 1, j + 1
        elif difference < 0:
            i += 1
        else:
            j += 1
    return of_truth, of_found


def _unwatched(truth: Sequence[Event], timeline: Timeline) -> int:
    known = timeline.known
    count = 0
    for e in truth:
        there = known & (timeline.sources == e.source)
        touched = (timeline.start_s <= e.offset_s) & (timeline.end_s >= e.onset_s)
        inside = (timeline.start_s < e.offset_s) & (timeline.end_s > e.onset_s)
        count += not (there & (inside if e.onset_s < e.offset_s else touched)).any()
    return count
