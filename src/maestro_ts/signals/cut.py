"""`Recording` → `Windows`: by a fixed step over continuous data, or one window per trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.baseline import normalised
from maestro_ts.signals.coverage import covered
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.places import place
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.rows import rows_between
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.signals.windows import Samples, Windows

__all__ = ["WindowSpec", "check_streams", "cut"]


def cut(recordings: Sequence[Recording], schema: Schema, spec: WindowSpec) -> Windows:
    """Cut recordings into labelled windows.

    A window gets a label as `WindowSpec.label_rule` says; those without are left out. Windows of
    a recording without labels are kept, unlabelled, when no recording has any.

    Raises
    ------
    DataError
        No recordings, streams unknown to the schema, or no window left.
    """
    for recording in recordings:
        check_streams(recording, schema)
    places = place(recordings, spec)
    if spec.baseline_s is not None:
        recordings = [normalised(r, schema, spec.baseline_s) for r in recordings]
    samples = {
        m.name: _hold(m, recordings, places.owner)
        if m.static
        else _slice(m, recordings, places.owner, places.start_s, places.duration_s)
        for m in schema
    }
    if spec.min_coverage:
        valid = np.stack([samples[name].valid_counts() for name in schema.names], axis=1)
        kept = covered(schema, valid, places.duration_s, spec.min_coverage)
        places = places.take(kept)
        samples = {name: s.take(kept) for name, s in samples.items()}
    return places.windows(
        schema,
        samples,
        subjects=[r.subject for r in recordings],
        sources=[r.source for r in recordings],
    )


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
