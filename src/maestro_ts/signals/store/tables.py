"""The tables of a shard as Parquet: recordings, labels, streams and gaps, and how they are read.

``recordings`` one row a recording; ``labels`` one row an interval; ``streams`` one row a recording
and modality, saying where its samples lie; ``gaps`` one row a run of samples without any value.
Rows name their recording by its place in the shard.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maestro_ts.atomic import write_bytes
from maestro_ts.errors import FormatError
from maestro_ts.signals.baseline import ZScore
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.signals.store.manifest import Manifest, StoredFile, check_file, new_hash
from maestro_ts.signals.store.piece import Piece
from maestro_ts.signals.store.quantum import Lattice

__all__ = ["StreamRow", "read_recordings", "read_streams", "read_table", "shard_tables"]

RECORDINGS = pa.schema(
    [
        ("subject", pa.string()),
        ("source", pa.string()),
        ("duration_s", pa.float64()),
        ("clock", pa.string()),
        ("notes", pa.list_(pa.string())),
    ]
)
LABELS = pa.schema(
    [
        ("recording", pa.int32()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("label", pa.string()),
    ]
)
STREAMS = pa.schema(
    [
        ("recording", pa.int32()),
        ("modality", pa.string()),
        ("offset", pa.int64()),  # rows before it in the shard
        ("length", pa.int64()),
        ("times_offset", pa.int64()),  # null: regular
        ("start_s", pa.float64()),
        ("rate_hz", pa.float64()),
        ("quanta", pa.list_(pa.float64())),  # null: float32
        ("zeros", pa.list_(pa.int64())),
    ]
)
GAPS = pa.schema(
    [
        ("recording", pa.int32()),
        ("modality", pa.string()),
        ("first", pa.int64()),
        ("end", pa.int64()),
    ]
)


@dataclass(frozen=True)
class StreamRow:
    """Where the samples of one recording and modality lie, in rows of the whole store.

    Attributes
    ----------
    recording : int
        Number in the whole store.
    first, length : int
    times_first : int or None
        First row in the times; None for a regular stream.
    gaps : ndarray, shape (G, 2)
        Rows of this stream without any value, from its first.
    zscore : ZScore or None
        What its values are given relative to; None: they are as they are.
    """

    recording: int
    first: int
    length: int
    times_first: int | None
    start_s: float
    rate_hz: float | None
    lattice: Lattice | None
    gaps: NDArray[np.int64]
    zscore: ZScore | None = None


def shard_tables(pieces: Sequence[Piece], codes: Mapping[str, bool]) -> dict[str, pa.Table]:
    """The four tables of a shard; `codes` says which modalities are written as 16-bit codes."""
    offsets = dict.fromkeys(codes, 0)
    times_offsets = dict.fromkeys(codes, 0)
    labels, streams, gaps = [], [], []
    for r, piece in enumerate(pieces):
        labels += [
            {"recording": r, "start_s": i.start_s, "end_s": i.end_s, "label": i.label}
            for i in piece.labels
        ]
        for name, stream in piece.streams.items():
            lattice = stream.lattice if codes[name] else None
            streams.append(
                {
                    "recording": r,
                    "modality": name,
                    "offset": offsets[name],
                    "length": stream.rows,
                    "times_offset": times_offsets[name] if stream.times_at is not None else None,
                    "start_s": stream.start_s,
                    "rate_hz": stream.rate_hz,
                    "quanta": lattice and lattice.quanta,
                    "zeros": lattice and lattice.zeros,
                }
            )
            offsets[name] += stream.rows
            times_offsets[name] += stream.rows if stream.times_at is not None else 0
            gaps.append((r, name, piece.gaps(name)))
    recordings = [
        {
            "subject": p.subject,
            "source": p.source,
            "duration_s": p.duration_s,
            "clock": p.clock,
            "notes": list(p.notes),
        }
        for p in pieces
    ]
    return {
        "recordings": pa.Table.from_pylist(recordings, RECORDINGS),
        "labels": pa.Table.from_pylist(labels, LABELS),
        "streams": pa.Table.from_pylist(streams, STREAMS),
        "gaps": _gap_table(gaps),
    }


def _gap_table(gaps: Sequence[tuple[int, str, NDArray[np.int64]]]) -> pa.Table:
    """Runs (G, 2) per recording and modality, as they may be many, without a row in Python each."""
    runs = np.concatenate([np.zeros((0, 2), np.int64), *(g for _, _, g in gaps)])
    counts = np.array([len(g) for _, _, g in gaps], np.int64)
    recordings = np.repeat(np.array([r for r, _, _ in gaps], np.int32), counts)
    names = np.repeat(np.array([name for _, name, _ in gaps], object), counts)
    return pa.table([recordings, names, runs[:, 0], runs[:, 1]], schema=GAPS)


def write_table(folder: Path, path: str, table: pa.Table) -> StoredFile:
    """Write a table, atomically."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    data = buffer.getvalue()
    write_bytes(folder / path, data)
    digest = new_hash()
    digest.update(data)
    return StoredFile(path, len(data), digest.hexdigest(), table.num_rows)


def read_table(folder: Path, file: StoredFile) -> pa.Table:
    """Read a table.

    Raises
    ------
    FormatError
        It is missing, cut short or no Parquet file.
    """
    check_file(folder, file)
    try:
        return pq.read_table(io.BytesIO((folder / file.path).read_bytes()))
    except (pa.ArrowInvalid, OSError) as error:
        raise FormatError(
            f"the table is damaged: {error}.",
            where=str(folder / file.path),
            fix="Prepare the store again.",
        ) from error


def read_recordings(folder: Path, manifest: Manifest) -> list[Recording]:
    """All recordings with their labels, without their streams."""
    found: list[Recording] = []
    for shard in manifest.shards:
        rows = read_table(folder, shard.tables["recordings"]).to_pylist()
        labels: list[list[Interval]] = [[] for _ in rows]
        for label in read_table(folder, shard.tables["labels"]).to_pylist():
            labels[label.pop("recording")].append(Interval(**label))
        found += [
            Recording({}, labels=tuple(own), **row | {"notes": tuple(row["notes"])})
            for row, own in zip(rows, labels, strict=True)
        ]
    return found


def read_streams(folder: Path, manifest: Manifest) -> dict[str, list[StreamRow]]:
    """Per modality where the samples of every recording that has it lie, in order."""
    found: dict[str, list[StreamRow]] = {name: [] for name in manifest.schema.names}
    rows, times, recordings = dict.fromkeys(found, 0), dict.fromkeys(found, 0), 0
    for shard in manifest.shards:
        gaps = _gaps(read_table(folder, shard.tables["gaps"]))
        for row in read_table(folder, shard.tables["streams"]).to_pylist():
            name, timed = row["modality"], row["times_offset"] is not None
            found[name].append(
                StreamRow(
                    recording=recordings + row["recording"],
                    first=rows[name] + row["offset"],
                    length=row["length"],
                    times_first=times[name] + row["times_offset"] if timed else None,
                    start_s=row["start_s"],
                    rate_hz=row["rate_hz"],
                    lattice=row["quanta"] and Lattice(tuple(row["quanta"]), tuple(row["zeros"])),
                    gaps=gaps.get((row["recording"], name), np.zeros((0, 2), np.int64)),
                )
            )
        for name in found:
            rows[name] += sum(f.rows for f in shard.signals.get(name, ()))
            times[name] += sum(f.rows for f in shard.times.get(name, ()))
        recordings += shard.tables["recordings"].rows
    return found


def _gaps(table: pa.Table) -> dict[tuple[int, str], NDArray[np.int64]]:
    """Runs (G, 2) per recording and modality; a group's rows lie together."""
    if not table.num_rows:
        return {}
    columns: dict[str, Any] = {
        name: table[name].to_numpy() for name in ("recording", "first", "end")
    }
    names = table["modality"].to_numpy(zero_copy_only=False)
    changed = (np.diff(columns["recording"]) != 0) | (names[1:] != names[:-1])
    borders = [0, *(np.flatnonzero(changed) + 1).tolist(), table.num_rows]
    runs = np.stack([columns["first"], columns["end"]], axis=1)
    return {(int(columns["recording"][a]), str(names[a])): runs[a:b] for a, b in pairwise(borders)}
