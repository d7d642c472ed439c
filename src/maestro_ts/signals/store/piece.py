"""One recording, encoded, as two files of its own until its shard is written.

Workers read recordings in any order and leave pieces; shards are packed from them in order, so a
store does not depend on how many workers there were, and nothing that was read is read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import FormatError, RunError
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.signals.runs import true_runs
from maestro_ts.signals.store.quantum import Lattice, encode

__all__ = ["Piece", "PieceStream", "read_piece", "write_piece"]


@dataclass(frozen=True)
class PieceStream:
    """What is known of an encoded stream, and where its arrays begin in the piece's file.

    Attributes
    ----------
    rows, channels : int
    lattice : Lattice or None
        None: float32.
    values_at, gaps_at : int
        First byte.
    times_at : int or None
        None: no times of its own.
    gaps : int
        Runs of rows without any valid channel.
    """

    rows: int
    channels: int
    start_s: float
    rate_hz: float | None
    lattice: Lattice | None
    values_at: int
    times_at: int | None
    gaps_at: int
    gaps: int


@dataclass(frozen=True)
class Piece:
    """An encoded recording; its arrays stay in the file until they are asked for."""

    path: Path
    bytes: int
    subject: str
    source: str
    duration_s: float
    clock: str
    notes: tuple[str, ...]
    labels: tuple[Interval, ...]
    streams: Mapping[str, PieceStream]

    def values(self, modality: str) -> NDArray[Any]:
        """Codes or values, (T, C)."""
        stream = self.streams[modality]
        shape = stream.rows, stream.channels
        return self._array("<f4" if stream.lattice is None else "<i2", shape, stream.values_at)

    def times(self, modality: str) -> NDArray[np.float64]:
        """Times of a stream with its own, (T,)."""
        stream = self.streams[modality]
        assert stream.times_at is not None
        return self._array("<f8", (stream.rows,), stream.times_at)

    def gaps(self, modality: str) -> NDArray[np.int64]:
        """Runs of rows without any valid channel, (G, 2): first, and the one after the last."""
        stream = self.streams[modality]
        return self._array("<i8", (stream.gaps, 2), stream.gaps_at)

    def _array(self, dtype: str, shape: tuple[int, ...], begin: int) -> NDArray[Any]:
        count = int(np.prod(shape))
        found = np.fromfile(self.path, dtype, count, offset=begin)
        if len(found) != count:
            raise FormatError(
                "a piece of an unfinished store is cut short.",
                where=str(self.path),
                fix="Prepare anew with --overwrite.",
            )
        return found.reshape(shape)

    def remove(self) -> None:
        """Delete the files."""
        self.path.with_suffix(".json").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def write_piece(path: Path, recording: Recording) -> Piece:
    """Encode a recording; the ``.json`` beside the arrays is written last, atomically."""
    streams = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "wb") as file:
            for name, stream in sorted(recording.streams.items()):
                found = encode(stream.values)
                gaps = true_runs(np.asarray(np.isnan(stream.values).all(axis=1)))
                values_at = file.tell()
                file.write(
                    _bytes(stream.values, "<f4") if found is None else _bytes(found[0], "<i2")
                )
                gaps_at = file.tell()
                file.write(_bytes(gaps, "<i8"))
                times_at = None if stream.times is None else file.tell()
                if stream.times is not None:
                    file.write(_bytes(stream.times, "<f8"))
                streams[name] = PieceStream(
                    rows=len(stream.values),
                    channels=stream.values.shape[1],
                    start_s=stream.start_s,
                    rate_hz=stream.rate_hz,
                    lattice=None if found is None else found[1],
                    values_at=values_at,
                    times_at=times_at,
                    gaps_at=gaps_at,
                    gaps=len(gaps),
                )
            size = file.tell()
    except OSError as error:
        raise RunError(
            f"cannot write: {error.strerror}.",
            where=str(path),
            fix="Free some space and go on with --resume.",
        ) from error
    piece = Piece(
        path=path,
        bytes=size,
        subject=recording.subject,
        source=recording.source,
        duration_s=recording.duration_s,
        clock=recording.clock,
        notes=recording.notes,
        labels=recording.labels,
        streams=streams,
    )
    write_text(path.with_suffix(".json"), json.dumps(asdict(piece) | {"path": ""}))
    return piece


def read_piece(path: Path) -> Piece | None:
    """What `write_piece` wrote, or None when it is not there whole."""
    try:
        head = json.loads(path.with_suffix(".json").read_text())
        if path.stat().st_size != head["bytes"]:
            return None
    except FileNotFoundError:
        return None
    for row in head["streams"].values():
        lattice = row["lattice"]
        row["lattice"] = lattice and Lattice(tuple(lattice["quanta"]), tuple(lattice["zeros"]))
    streams = {name: PieceStream(**row) for name, row in head["streams"].items()}
    labels = tuple(Interval(**row) for row in head["labels"])
    fixed = {"path": path, "streams": streams, "labels": labels, "notes": tuple(head["notes"])}
    return Piece(**head | fixed)


def _bytes(array: NDArray[Any], dtype: str) -> memoryview:
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1).view(np.uint8).data
