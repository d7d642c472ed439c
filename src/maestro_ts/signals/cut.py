"""`Recording` → `Windows`: by a fixed step over continuous data, or one window per trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.windows import Samples, Windows, window_ids

__all__ = ["WindowSpec", "cut"]


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
    if not recordings:
        raise DataError("No recordings to cut.")
    labelled = any(r.labels for r in recordings)
    _check_streams(recordings, schema)
    places = [p for r, rec in enumerate(recordings) for p in _places(r, rec, spec, labelled)]
    if not places:
        longest = max(r.duration_s for r in recordings)
        raise DataError(
            f"No window of {spec.duration_s} s lies within one label "
            f"(longest recording {longest:g} s).",
            fix="Choose a shorter duration_s.",
        )
    owner = np.array([p.recording for p in places])
    starts = np.array([p.start_s for p in places])
    durations = np.array([p.duration_s for p in places])
    samples = {
        m.name: _hold(m, recordings, owner)
        if m.static
        else _slice(m, recordings, owner, starts, durations)
        for m in schema
    }
    return Windows(
        schema,
        samples,
        start_s=starts,
        duration_s=durations,
        subjects=np.array([recordings[r].subject for r in owner]),
        sources=np.array([recordings[r].source for r in owner]),
        ids=window_ids(f"{recordings[p.recording].source}@{p.start_s:.6f}" for p in places),
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


def _check_streams(recordings: Sequence[Recording], schema: Schema) -> None:
    for recording in recordings:
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
        # A sample on the border belongs to the window that begins there; the tolerance keeps
        # rounding in start + j / rate from moving it.
        low = np.searchsorted(stamps, begin - 1e-9, side="left")
        high = np.searchsorted(stamps, end - 1e-9, side="left")
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
