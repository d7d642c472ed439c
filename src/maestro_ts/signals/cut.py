"""`Recording` → `Windows`: by a fixed step over continuous data, or one window per trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.windows import Samples, Windows, window_ids

__all__ = ["BORDER_S", "Places", "WindowSpec", "check_streams", "cut", "place", "rows_between"]

BORDER_S = 1e-9  # a sample as little before a window belongs to it: rounding


@dataclass(frozen=True)
class WindowSpec:
    """How recordings are cut.

    Parameters
    ----------
    duration_s : float or None
        None: one window per recording (trials).
    step_s : float or None
        From one window's begin to the next; `duration_s` if None.
    """

    duration_s: float | None = None
    step_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("duration_s", "step_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} must be positive, got {value!r}.")


def cut(recordings: Sequence[Recording], schema: Schema, spec: WindowSpec) -> Windows:
    """Cut recordings into labelled windows.

    A window gets a label when one interval covers it entirely; others are left out. Windows of
    a recording without labels are kept, unlabelled, when no recording has any.

    Raises
    ------
    DataError
        No recordings, streams unknown to the schema, or no window left.
    """
    for recording in recordings:
        check_streams(recording, schema)
    places = place(recordings, spec)
    return places.windows(
        schema,
        {
            m.name: _hold(m, recordings, places.owner)
            if m.static
            else _slice(m, recordings, places.owner, places.start_s, places.duration_s)
            for m in schema
        },
        subjects=[r.subject for r in recordings],
        sources=[r.source for r in recordings],
    )


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
        No recordings, or no window left.
    """
    if not recordings:
        raise DataError("No recordings to cut.")
    labelled = any(r.labels for r in recordings)
    places = [p for r, rec in enumerate(recordings) for p in _places(r, rec, spec, labelled)]
    if not places:
        longest = max(r.duration_s for r in recordings)
        raise DataError(
            f"No window of {spec.duration_s} s lies within one label "
            f"(longest recording {longest:g} s).",
            fix="Choose a shorter duration_s.",
        )
    return Places(
        owner=np.array([p.recording for p in places]),
        start_s=np.array([p.start_s for p in places]),
        duration_s=np.array([p.duration_s for p in places]),
        labels=np.array([p.label for p in places]) if labelled else None,
    )


@dataclass(frozen=True)
class _Place:
    recording: int
    start_s: float
    duration_s: float
    label: str


def _places(r: int, recording: Recording, spec: WindowSpec, labelled: bool) -> list[_Place]:
    if spec.duration_s is None:
        found = recording.labels[0].label if recording.labels else ""
        if labelled and not found:
            return []
        return [_Place(r, 0.0, recording.duration_s, found)]
    step = spec.step_s or spec.duration_s
    if not labelled:
        n = int(np.floor((recording.duration_s - spec.duration_s) / step + 1e-9)) + 1
        return [_Place(r, k * step, spec.duration_s, "") for k in range(max(n, 0))]
    places = []
    for interval in recording.labels:
        n = int(np.floor((interval.end_s - interval.start_s - spec.duration_s) / step + 1e-9)) + 1
        for k in range(max(n, 0)):
            start = interval.start_s + k * step
            if start >= 0 and start + spec.duration_s <= recording.duration_s + 1e-9:
                places.append(_Place(r, start, spec.duration_s, interval.label))
    return places


def check_streams(recording: Recording, schema: Schema) -> None:
    """Refuse a stream that the schema does not know or that differs from it."""
    for name, stream in recording.streams.items():
        if name not in schema:
            raise DataError(
                f"unknown stream {name!r}.",
                where=recording.source,
                fix=nearest(name, schema.names),
            )
        modality = schema[name]
        if stream.values.shape[1] != modality.channels:
            raise DataError(
                f"{stream.values.shape[1]} channels, {modality.channels} expected.",
                where=f"{recording.source}, modality {name!r}",
            )
        if modality.static and len(stream.values) != 1:
            raise DataError(
                f"{len(stream.values)} samples, a static modality has one.",
                where=f"{recording.source}, modality {name!r}",
            )
        if stream.times is None and modality.rate_hz != stream.rate_hz:
            raise DataError(
                f"rate {stream.rate_hz} Hz, {modality.rate_hz} Hz expected.",
                where=f"{recording.source}, modality {name!r}",
            )


def rows_between(
    stamps: NDArray[np.float64], begin_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of each window and the row after its last.

    A sample on the border belongs to the window that begins there; the tolerance keeps rounding in
    start + j / rate from moving it.
    """
    low = np.searchsorted(stamps, begin_s - BORDER_S, side="left")
    return low, np.searchsorted(stamps, end_s - BORDER_S, side="left")


def _hold(modality: Modality, recordings: Sequence[Recording], owner: NDArray[np.intp]) -> Samples:
    """Give every window the one sample of its recording; a static modality has no times."""
    streams = [r.streams.get(modality.name) for r in recordings]
    there = np.array([s is not None for s in streams])
    row = np.cumsum(there) - there
    return Samples(
        values=np.concatenate(
            [
                np.zeros((0, modality.channels), np.float32),
                *[s.values for s in streams if s is not None],
            ]
        ),
        starts=row[owner],
        lengths=there[owner].astype(np.int64),
        times=None,
        origins_s=np.zeros(len(owner)),
        rate_hz=modality.rate_hz,
    )


def _slice(
    modality: Modality,
    recordings: Sequence[Recording],
    owner: NDArray[np.intp],
    starts: NDArray[np.float64],
    durations: NDArray[np.float64],
) -> Samples:
    """Join the recordings' streams of one modality and point every window at its rows."""
    streams = [r.streams.get(modality.name) for r in recordings]
    timed = any(s is not None and s.times is not None for s in streams)
    n = len(owner)
    first, length, origin = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    values: list[Any] = [np.zeros((0, modality.channels), np.float32)]
    times: list[Any] = [np.zeros(0)]
    base = 0
    # Windows are in the order of their recordings.
    bounds = np.searchsorted(owner, np.arange(len(recordings) + 1))
    for r, stream in enumerate(streams):
        if stream is None:
            continue
        rows = slice(bounds[r], bounds[r + 1])
        stamps = stream.sample_times()
        begin, end = starts[rows], starts[rows] + durations[rows]
        low, high = rows_between(stamps, begin, end)
        first[rows], length[rows] = base + low, high - low
        if timed:
            origin[rows] = begin
        elif len(stamps):
            origin[rows] = np.maximum(stamps[np.minimum(low, len(stamps) - 1)] - begin, 0.0)
        values.append(stream.values)
        times.append(stamps)
        base += len(stream.values)
    return Samples(
        values=np.concatenate(values),
        starts=first,
        lengths=length,
        times=np.concatenate(times) if timed else None,
        origins_s=origin,
        rate_hz=modality.rate_hz,
    )
