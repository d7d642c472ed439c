"""Tables of a store → where its windows lie: ``windows-….parquet``. No signal is read.

One row a window: its recording, start, duration and label, and per modality the first row, the
number of rows, the time of the first (see `Samples.origins_s`) and how many rows hold a value.
What the values are relative to, if anything, is in the table's metadata (`store.baselines`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from maestro_ts.signals.coverage import covered
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.places import Places, place
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.rows import BORDER_S, rows_between
from maestro_ts.signals.store.baselines import from_text, to_text
from maestro_ts.signals.store.buffers import StoredTimes
from maestro_ts.signals.store.manifest import Manifest, StoredFile
from maestro_ts.signals.store.tables import StreamRow, read_table, write_table
from maestro_ts.signals.window_spec import WindowSpec

__all__ = ["Spans", "find_windows", "read_windows_table", "write_windows_table"]

BASELINES = b"baselines"


@dataclass(frozen=True)
class Spans:
    """Where the windows lie in the rows of one modality; all (n,).

    Attributes
    ----------
    first, length : int64
    origin_s : float64
    valid : int64
        Rows with a value in some channel; 0 means that the modality is absent.
    """

    first: NDArray[np.int64]
    length: NDArray[np.int64]
    origin_s: NDArray[np.float64]
    valid: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp]) -> Spans:
        """Some of the windows."""
        return Spans(self.first[rows], self.length[rows], self.origin_s[rows], self.valid[rows])


def find_windows(
    recordings: Sequence[Recording],
    modalities: Mapping[Modality, tuple[Sequence[StreamRow], StoredTimes | None]],
    spec: WindowSpec,
) -> tuple[Places, dict[str, Spans]]:
    """Where windows of these settings lie: what `cut` does, from the tables alone.

    Times are read where a stream has its own.
    """
    places = place(recordings, spec)
    spans = {
        m.name: _spans(m, streams, times, places) for m, (streams, times) in modalities.items()
    }
    if not spec.min_coverage:
        return places, spans
    schema = Schema(modalities)
    valid = np.stack([spans[name].valid for name in schema.names], axis=1)
    kept = covered(schema, valid, places.duration_s, spec.min_coverage)
    return places.take(kept), {name: span.take(kept) for name, span in spans.items()}


def _spans(
    modality: Modality, streams: Sequence[StreamRow], times: StoredTimes | None, places: Places
) -> Spans:
    n = len(places.owner)
    first, length, valid = (np.zeros(n, np.int64) for _ in range(3))
    found = Spans(first, length, np.zeros(n), valid)
    # Windows of a recording follow each other.
    borders = np.searchsorted(places.owner, np.arange(places.owner[-1] + 2))
    for stream in streams:
        if stream.recording + 1 >= len(borders):
            continue
        rows = slice(borders[stream.recording], borders[stream.recording + 1])
        begin_s = places.start_s[rows]
        end_s = begin_s + places.duration_s[rows]
        if modality.static:
            low = np.zeros(len(begin_s), np.int64)
            high = low + stream.length
        elif stream.times_first is not None:
            assert times is not None
            stamps = times[stream.first : stream.first + stream.length]
            low, high = rows_between(stamps, begin_s, end_s)
        else:
            low = _rows_before(begin_s - BORDER_S, stream)
            high = _rows_before(end_s - BORDER_S, stream)
        found.first[rows], found.length[rows] = stream.first + low, high - low
        if times is not None:
            found.origin_s[rows] = begin_s
        elif stream.length and stream.rate_hz:
            at_s = stream.start_s + np.minimum(low, stream.length - 1) / stream.rate_hz
            found.origin_s[rows] = np.maximum(at_s - begin_s, 0.0)
        found.valid[rows] = high - low - (_gone(stream.gaps, high) - _gone(stream.gaps, low))
    return found


def _rows_before(at_s: NDArray[np.float64], stream: StreamRow) -> NDArray[np.int64]:
    """How many samples of a regular stream lie before each time: a search without the times."""
    assert stream.rate_hz is not None
    guess = np.floor((at_s - stream.start_s) * stream.rate_hz)
    first = np.clip(guess - 2, -4, stream.length).astype(np.int64)
    # The guess may be off by rounding; the samples around it decide, as they do in a search.
    around = first[:, None] + np.arange(5)
    before = stream.start_s + around / stream.rate_hz < at_s[:, None]
    return np.asarray(np.clip(first + before.sum(axis=1), 0, stream.length))


def _gone(gaps: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows before each row lie in a gap."""
    total = np.concatenate([[0], np.cumsum(gaps[:, 1] - gaps[:, 0])])
    number = np.searchsorted(gaps[:, 0], row, side="left")
    inside = np.zeros(len(row), np.int64)
    some = number > 0
    inside[some] = np.maximum(gaps[number[some] - 1, 1] - row[some], 0)
    return np.asarray(total[number] - inside)


def write_windows_table(
    folder: Path,
    manifest: Manifest,
    places: Places,
    spans: Mapping[str, Spans],
    streams: Mapping[str, Sequence[StreamRow]],
) -> StoredFile:
    """Write the table of a manifest's windows; its name says of which shards and settings."""
    columns: dict[str, object] = {
        "recording": places.owner.astype(np.int32),
        "start_s": places.start_s,
        "duration_s": places.duration_s,
        "label": pa.nulls(len(places.owner), pa.string())
        if places.labels is None
        else places.labels.tolist(),
    }
    for name, span in spans.items():
        for key, column in vars(span).items():
            columns[f"{name}/{key}"] = column
    decisive = [manifest.spec.values(), [file.hash for s in manifest.shards for file in s.files()]]
    key = hashlib.blake2b(json.dumps(decisive).encode(), digest_size=4).hexdigest()
    table = pa.table(columns)
    if manifest.spec.baseline_s is not None:
        table = table.replace_schema_metadata({BASELINES: to_text(streams)})
    return write_table(folder, f"windows-{key}.parquet", table)


def read_windows_table(
    folder: Path, file: StoredFile, streams: Mapping[str, Sequence[StreamRow]]
) -> tuple[Places, dict[str, Spans], Mapping[str, Sequence[StreamRow]]]:
    """Inverse of `write_windows_table`."""
    table = read_table(folder, file)

    def column(name: str) -> NDArray[np.generic]:
        return np.array(table[name].to_numpy())  # a copy: Arrow's memory is read-only

    unlabelled = table["label"].null_count == table.num_rows
    places = Places(
        owner=column("recording").astype(np.intp),
        start_s=column("start_s").astype(np.float64),
        duration_s=column("duration_s").astype(np.float64),
        labels=None if unlabelled else np.array(table["label"].to_pylist()),
    )
    spans = {
        name: Spans(
            first=column(f"{name}/first").astype(np.int64),
            length=column(f"{name}/length").astype(np.int64),
            origin_s=column(f"{name}/origin_s").astype(np.float64),
            valid=column(f"{name}/valid").astype(np.int64),
        )
        for name in streams
    }
    kept = (table.schema.metadata or {}).get(BASELINES)
    return places, spans, streams if kept is None else from_text(kept, streams)
