"""One recording, encoded, as a file of its own until its shard is written.

Workers read recordings in any order and leave pieces; shards are packed from them in order, so a
store does not depend on how many workers there were, and nothing that was read is read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import atomic_path
from maestro_ts.errors import FormatError
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.signals.store.quantum import Lattice, encode

__all__ = ["Piece", "PieceStream", "read_piece", "write_piece"]


@dataclass(frozen=True)
class PieceStream:
    """What is known of an encoded stream.

    Attributes
    ----------
    rows, channels : int
    lattice : Lattice or None
        None: float32.
    timed : bool
        Samples have times of their own.
    """

    rows: int
    channels: int
    start_s: float
    rate_hz: float | None
    timed: bool
    lattice: Lattice | None


@dataclass(frozen=True)
class Piece:
    """An encoded recording; its arrays stay in the file."""

    path: Path
    subject: str
    source: str
    duration_s: float
    clock: str
    notes: tuple[str, ...]
    labels: tuple[Interval, ...]
    streams: Mapping[str, PieceStream]

    def values(self, modality: str) -> NDArray[Any]:
        """Codes or values, (T, C)."""
        return self._array(f"values/{modality}")

    def times(self, modality: str) -> NDArray[np.float64]:
        """Times of a timed stream, (T,)."""
        return self._array(f"times/{modality}")

    def gaps(self, modality: str) -> NDArray[np.int64]:
        """Runs of rows without any valid channel, (G, 2): first, and the one after the last."""
        return self._array(f"gaps/{modality}")

    def _array(self, key: str) -> NDArray[Any]:
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                found: NDArray[Any] = arrays[key]
        except (BadZipFile, KeyError, ValueError) as error:
            raise FormatError(
                f"a piece of an unfinished store is damaged: {error}.",
                where=str(self.path),
                fix="Prepare anew with --overwrite.",
            ) from error
        return found


def write_piece(path: Path, recording: Recording) -> Piece:
    """Encode a recording and write it, atomically."""
    arrays: dict[str, NDArray[Any]] = {}
    streams = {}
    for name, stream in sorted(recording.streams.items()):
        encoded = encode(stream.values)
        arrays[f"values/{name}"] = stream.values if encoded is None else encoded[0]
        arrays[f"gaps/{name}"] = _runs(np.asarray(np.isnan(stream.values).all(axis=1)))
        if stream.times is not None:
            arrays[f"times/{name}"] = stream.times
        streams[name] = PieceStream(
            rows=len(stream.values),
            channels=stream.values.shape[1],
            start_s=stream.start_s,
            rate_hz=stream.rate_hz,
            timed=stream.times is not None,
            lattice=None if encoded is None else encoded[1],
        )
    piece = Piece(
        path,
        recording.subject,
        recording.source,
        recording.duration_s,
        recording.clock,
        recording.notes,
        recording.labels,
        streams,
    )
    head = asdict(piece) | {"path": ""}
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    with atomic_path(path) as partial, open(partial, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    return piece


def read_piece(path: Path) -> Piece | None:
    """What `write_piece` wrote, or None when it is not there whole."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
    except (FileNotFoundError, BadZipFile, EOFError, KeyError, ValueError):
        return None
    streams = {
        name: PieceStream(
            **row
            | {
                "lattice": row["lattice"]
                and Lattice(tuple(row["lattice"]["quanta"]), tuple(row["lattice"]["zeros"]))
            }
        )
        for name, row in head["streams"].items()
    }
    labels = tuple(Interval(**row) for row in head["labels"])
    fixed = {"path": path, "streams": streams, "labels": labels, "notes": tuple(head["notes"])}
    return Piece(**head | fixed)


def _runs(missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First row of every run of True, and the row after its last, (G, 2)."""
    edges = np.diff(np.concatenate([[0], missing.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)
