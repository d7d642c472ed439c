"""Where the windows of recordings lie, and their labels: from durations and intervals alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.signals.windows import Samples, Windows, window_ids

__all__ = ["Places", "place"]

ROUNDING_S = 1e-9
SHARE_ROUNDING_S = 1e-6  # of a sum over many intervals


@dataclass(frozen=True)
class Places:
    """Where windows lie.

    Attributes
    ----------
    owner : ndarray, shape (n,)
        Number of the recording.
    start_s, duration_s : ndarray, shape (n,)
    labels : ndarray, shape (n,), str, or None
    """

    owner: NDArray[np.intp]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    labels: NDArray[np.str_] | None

    def take(self, rows: NDArray[np.intp]) -> Places:
        """Some of the windows."""
        labels = None if self.labels is None else _narrow(self.labels[rows])
        return Places(self.owner[rows], self.start_s[rows], self.duration_s[rows], labels)

    def windows(
        self,
        schema: Schema,
        samples: Mapping[str, Samples],
        *,
        subjects: Sequence[str],
        sources: Sequence[str],
        present: NDArray[np.bool_] | None = None,
    ) -> Windows:
        """Windows at these places, from what their recordings are called."""
        return Windows(
            schema,
            samples,
            start_s=self.start_s,
            duration_s=self.duration_s,
            subjects=np.array([subjects[r] for r in self.owner]),
            sources=np.array([sources[r] for r in self.owner]),
            ids=window_ids(
                f"{sources[r]}@{start_s:.6f}"
                for r, start_s in zip(self.owner, self.start_s, strict=True)
            ),
            labels=self.labels,
            present=present,
        )


def place(recordings: Sequence[Recording], spec: WindowSpec) -> Places:
    """Where the windows of recordings lie; their labels and durations decide, no stream does.

    Raises
    ------
    DataError
        No recordings, one that is over before its baseline is, or no window left.
    """
    if not recordings:
        raise DataError("No recordings to cut.")
    labelled = any(r.labels for r in recordings)
    _check_lengths(recordings, spec.first_s)
    found = [(r, part) for r, rec in enumerate(recordings) for part in _parts(rec, spec, labelled)]
    if spec.first_s:
        found = [(r, part.since(spec.first_s)) for r, part in found]
    found = [(r, part) for r, part in found if len(part.start_s)]
    if not found:
        raise _none_left(recordings, spec, labelled)
    return Places(
        owner=np.concatenate([np.full(len(p.start_s), r, np.intp) for r, p in found]),
        start_s=np.concatenate([p.start_s for _, p in found]),
        duration_s=np.concatenate([np.full(len(p.start_s), p.duration_s) for _, p in found]),
        labels=_narrow(np.concatenate([p.labels for _, p in found])) if labelled else None,
    )


def _check_lengths(recordings: Sequence[Recording], baseline_s: float) -> None:
    short = [r for r in recordings if r.duration_s <= baseline_s]
    if baseline_s and short:
        raise DataError(
            f"{short[0].duration_s:g} s long, its baseline alone takes {baseline_s:g} s "
            f"(so in {len(short)} of {len(recordings)} recordings).",
            where=short[0].source,
            fix="Choose a shorter baseline_s, or session.",
        )


def _narrow(labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """The same labels in an array as wide as the longest: as if made of these alone."""
    return np.array(labels.tolist())


def _none_left(recordings: Sequence[Recording], spec: WindowSpec, labelled: bool) -> DataError:
    longest = max(r.duration_s for r in recordings)
    what = "lies within one label" if labelled else "lies within a recording"
    if labelled and spec.label_rule != "inside":
        what = f"gets a label by the rule '{spec.label_rule}'"
    if spec.first_s:
        what += f" after the baseline of {spec.first_s:g} s"
    of = "" if spec.duration_s is None else f" of {spec.duration_s} s"
    return DataError(
        f"No window{of} {what} (longest recording {longest:g} s).",
        fix="Choose a shorter duration_s.",
    )


@dataclass(frozen=True)
class _Part:
    """Windows of one recording that follow each other; labels are () when none are asked."""

    start_s: NDArray[np.float64]
    duration_s: float
    labels: NDArray[np.str_]

    def since(self, first_s: float) -> _Part:
        """The windows that do not begin before a time."""
        kept = self.start_s >= first_s - ROUNDING_S
        labels = self.labels[kept] if len(self.labels) else self.labels
        return _Part(self.start_s[kept], self.duration_s, labels)


def _parts(recording: Recording, spec: WindowSpec, labelled: bool) -> Iterable[_Part]:
    if labelled and not recording.labels:
        return
    duration_s = recording.duration_s if spec.duration_s is None else spec.duration_s
    if spec.duration_s is None:
        starts = np.zeros(1)
    else:
        starts = _starts(0.0, recording.duration_s + _beyond(spec), spec)
    if not labelled:
        yield _Part(starts, duration_s, np.array([], str))
    elif spec.label_rule != "inside":
        ends = np.minimum(starts + duration_s, recording.duration_s)
        kept, labels = _labels(recording.labels, starts, ends, spec)
        yield _Part(starts[kept], duration_s, labels)
    elif spec.duration_s is None:
        yield _Part(starts, duration_s, np.array([recording.labels[0].label]))
    else:
        yield from _inside(recording, spec, spec.duration_s)


def _beyond(spec: WindowSpec) -> float:
    """How far a window may reach past its recording's end, in seconds."""
    assert spec.duration_s is not None
    return (1.0 - spec.min_inside) * spec.duration_s


def _starts(first_s: float, end_s: float, spec: WindowSpec) -> NDArray[np.float64]:
    """Begin of every window that fits between two times."""
    assert spec.duration_s is not None
    step = spec.step_s or spec.duration_s
    n = int(np.floor((end_s - first_s - spec.duration_s) / step + ROUNDING_S)) + 1
    return np.asarray(first_s + np.arange(max(n, 0)) * step, np.float64)


def _inside(recording: Recording, spec: WindowSpec, duration_s: float) -> Iterable[_Part]:
    """Windows that one interval covers, from the interval's begin on."""
    last_s = recording.duration_s + _beyond(spec)
    for interval in recording.labels:
        end_s = interval.end_s
        if spec.min_inside < 1 and end_s >= recording.duration_s - ROUNDING_S:
            end_s = last_s
        starts = _starts(interval.start_s, end_s, spec)
        starts = starts[(starts >= 0) & (starts + duration_s <= last_s + ROUNDING_S)]
        yield _Part(starts, duration_s, np.full(len(starts), interval.label))


def _labels(
    intervals: Sequence[Interval],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    spec: WindowSpec,
) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """Numbers of the windows for which exactly one label qualifies, and those labels."""
    names = sorted({i.label for i in intervals})
    count = np.zeros(len(start_s), np.int64)
    chosen = np.zeros(len(start_s), np.intp)
    for number, name in enumerate(names):
        stretches = _union([i for i in intervals if i.label == name])
        qualifies = _qualifies(stretches, start_s, end_s, spec)
        count += qualifies
        chosen[qualifies] = number
    kept = np.flatnonzero(count == 1)
    return kept, np.array(names)[chosen[kept]]


def _union(intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """Stretches of time that intervals cover, apart and in order, (S, 2)."""
    rows = np.array(sorted((i.start_s, i.end_s) for i in intervals))
    reach = np.maximum.accumulate(rows[:, 1])
    new = np.concatenate([[True], rows[1:, 0] > reach[:-1] + ROUNDING_S])
    last = np.append(np.flatnonzero(new)[1:], len(rows)) - 1
    return np.stack([rows[new, 0], reach[last]], axis=1)


def _qualifies(
    stretches: NDArray[np.float64],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    spec: WindowSpec,
) -> NDArray[np.bool_]:
    """For which windows a label that holds in these stretches is the one that the rule means."""
    if spec.label_rule == "majority":
        held_s = _held_before(stretches, end_s) - _held_before(stretches, start_s)
        needed_s = spec.purity * (end_s - start_s) - SHARE_ROUNDING_S
        return np.asarray((held_s >= needed_s) & (held_s > 0))
    # A label holds from its begin on, until just before its end.
    at_s = start_s + ROUNDING_S if spec.label_rule == "start" else end_s - ROUNDING_S
    number = np.searchsorted(stretches[:, 0], at_s, side="right") - 1
    return np.asarray((number >= 0) & (stretches[number, 1] > at_s))


def _held_before(stretches: NDArray[np.float64], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds before each time in which the label holds."""
    total = np.concatenate([[0.0], np.cumsum(stretches[:, 1] - stretches[:, 0])])
    number = np.searchsorted(stretches[:, 0], at_s, side="right")
    last = np.maximum(number - 1, 0)
    beyond = np.maximum(stretches[last, 1] - at_s, 0.0)
    held = np.asarray(total[number] - beyond, np.float64)
    held[number == 0] = 0.0
    return held
