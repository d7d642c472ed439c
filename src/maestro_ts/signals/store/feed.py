"""Where a preparation gets its recordings from: encoded pieces, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from maestro_ts.signals.cut import check_streams
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.store.engine import Engine
from maestro_ts.signals.store.origin import Opened, Origin
from maestro_ts.signals.store.piece import Piece, read_piece, write_piece

__all__ = ["Feed", "feed_parts", "feed_recordings"]

Encoded = Piece | Refusal
# From the number of the first part wanted: pieces in order.
Feed = Callable[[int, Path], Iterator[Encoded]]


def feed_recordings(recordings: Iterable[Recording | Refusal], schema: Schema) -> Feed:
    """Recordings that the caller makes, one after another."""

    def feed(first: int, folder: Path) -> Iterator[Encoded]:
        for number, found in enumerate(islice(recordings, first, None), start=first):
            yield found if isinstance(found, Refusal) else _encode(found, schema, folder, number)

    return feed


def feed_parts(origin: Origin, parts: Sequence[str], schema: Schema, engine: Engine | None) -> Feed:
    """Parts of some files, one recording at a time in this process or in each of an engine's."""

    def feed(first: int, folder: Path) -> Iterator[Encoded]:
        tasks = (
            _Task(origin, part, number, schema, folder.resolve())
            for number, part in enumerate(parts[first:], start=first)
        )
        if engine is not None:
            yield from engine.run(_work, tasks)
            return
        with origin.open() as opened:
            for task in tasks:
                yield _run(task, opened)

    return feed


@dataclass(frozen=True)
class _Task:
    origin: Origin
    part: str
    number: int
    schema: Schema
    folder: Path


def _run(task: _Task, opened: Opened) -> Encoded:
    piece = read_piece(_piece_path(task.folder, task.number))
    if piece is not None:
        return piece
    found = opened.read(task.part)
    if isinstance(found, Refusal):
        return found
    return _encode(found, task.schema, task.folder, task.number)


# A worker opens the files once.
_opened: dict[Origin, tuple[AbstractContextManager[Opened], Opened]] = {}


def _work(task: _Task) -> Encoded:
    if task.origin not in _opened:
        context = task.origin.open()
        _opened[task.origin] = context, context.__enter__()
    return _run(task, _opened[task.origin][1])


def _encode(recording: Recording, schema: Schema, folder: Path, number: int) -> Piece:
    check_streams(recording, schema)
    return write_piece(_piece_path(folder, number), recording)


def _piece_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.bin"
