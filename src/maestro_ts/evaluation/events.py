"""A timeline of class probabilities → events: when a class was there, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.evaluation.timeline import HAIR_S, Timeline

__all__ = ["Event", "EventRule", "find_events"]


@dataclass(frozen=True)
class Event:
    """A stretch of a recording in which a class was there, found or true.

    Attributes
    ----------
    source : str
        The recording.
    label : str
    onset_s, offset_s : float
        Seconds in the recording.
    probability : float
        Of the class, averaged over the event's known time; NaN for a true event.
    subject : str
    """

    source: str
    label: str
    onset_s: float
    offset_s: float
    probability: float = math.nan
    subject: str = ""


@dataclass(frozen=True)
class EventRule:
    """What counts as an event.

    Attributes
    ----------
    labels : tuple of str
        Classes to look for; empty: all.
    threshold : float
        Least probability of the class, in (0, 1].
    merge_gap_s : float
        Stretches of a class at most this far apart are one event, also over unknown time.
    min_duration_s : float
        Shorter events are dropped, after merging.

    Raises
    ------
    ConfigError
        A value outside its range.
    """

    labels: tuple[str, ...] = ()
    threshold: float = 0.5
    merge_gap_s: float = 0.0
    min_duration_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(f"the threshold of events is {self.threshold}; it lies in (0, 1].")
        for name in ("merge_gap_s", "min_duration_s"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} is {getattr(self, name)}; it is 0 or more seconds.")

    def chosen(self, classes: Sequence[str]) -> tuple[str, ...]:
        """The classes to look for, of those that there are.

        Raises
        ------
        ConfigError
            There is no such class.
        """
        for label in self.labels:
            if label not in classes:
                raise ConfigError(f"no class {label!r} to find.", fix=nearest(label, classes))
        return self.labels or tuple(classes)


def find_events(timeline: Timeline, rule: EventRule | None = None) -> list[Event]:
    """Find where a class is at least as probable as the threshold.

    Events of one class and recording never overlap or touch; those of two classes may, when the
    threshold is below a half.

    Parameters
    ----------
    timeline : Timeline
    rule : EventRule, optional

    Returns
    -------
    list of Event
        In the order of recordings, onsets and classes.
    """
    rule = rule or EventRule()
    labels = rule.chosen(timeline.classes)
    found = [
        event
        for cells in timeline.recordings()
        for label in labels
        for event in _of_recording(timeline, cells, label, rule)
    ]
    rank = {label: k for k, label in enumerate(timeline.classes)}
    return sorted(found, key=lambda e: (e.source, e.onset_s, rank[e.label]))


def _of_recording(timeline: Timeline, cells: slice, label: str, rule: EventRule) -> list[Event]:
    p = timeline.probabilities[cells, timeline.classes.index(label)]
    start, end = timeline.start_s[cells], timeline.end_s[cells]
    active = np.concatenate([[False], p >= rule.threshold, [False]])  # NaN is not
    first = np.flatnonzero(active[1:] & ~active[:-1])
    last = np.flatnonzero(active[:-1] & ~active[1:]) - 1
    if not len(first):
        return []
    apart = start[first[1:]] - end[last[:-1]] > rule.merge_gap_s + HAIR_S
    first, last = first[np.r_[True, apart]], last[np.r_[apart, True]]
    events = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        onset, offset = float(start[a]), float(end[b])
        if offset - onset < rule.min_duration_s - HAIR_S:
            continue
        inside = slice(a, b + 1)
        length = (end[inside] - start[inside]) * ~np.isnan(p[inside])
        events.append(
            Event(
                source=str(timeline.sources[cells.start]),
                label=label,
                onset_s=onset,
                offset_s=offset,
                probability=float(np.nansum(p[inside] * length) / length.sum()),
                subject=str(timeline.subjects[cells.start]),
            )
        )
    return events
