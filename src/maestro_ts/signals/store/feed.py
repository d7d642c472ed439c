"""Where a preparation gets its recordings from: encoded pieces in order, read by some processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from maestro_ts.errors import RunError
from maestro_ts.signals.cut import check_streams
from maestro_ts.signals.datasets import part_reader
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording
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


def feed_parts(dataset: str, path: Path, parts: list[str], schema: Schema, jobs: int) -> Feed:
    """Parts of a data set, read by `jobs` processes, each one recording at a time."""

    def feed(first: int, folder: Path) -> Iterator[Encoded]:
        tasks = (
            _Task(dataset, path, part, number, schema, folder)
            for number, part in enumerate(parts[first:], start=first)
        )
        if jobs > 1:
            yield from _run_all(tasks, jobs)
            return
        with _reader(dataset).open(path) as opened:
            for task in tasks:
                yield _run(task, opened)

    return feed


@dataclass(frozen=True)
class _Task:
    dataset: str
    path: Path
    part: str
    number: int
    schema: Schema
    folder: Path


def _reader(dataset: str) -> PartReader:
    found = part_reader(dataset)
    assert found is not None, dataset
    return found


def _run(task: _Task, opened: Folder) -> Encoded:
    piece = read_piece(_piece_path(task.folder, task.number))
    if piece is not None:
        return piece
    found = _reader(task.dataset).read(opened, task.part)
    if isinstance(found, Refusal):
        return found
    return _encode(found, task.schema, task.folder, task.number)


# A worker opens the archive once.
_opened: dict[Path, Folder] = {}


def _work(task: _Task) -> Encoded:
    if task.path not in _opened:
        _opened[task.path] = _reader(task.dataset).open(task.path)
    return _run(task, _opened[task.path])


def _run_all(tasks: Iterator[_Task], jobs: int) -> Iterator[Encoded]:
    """Results in order; few tasks ahead of them, so that few pieces wait on the disk."""
    # Spawned, not forked: the caller may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
        waiting: deque[Future[Encoded]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_work, task))
                if len(waiting) >= 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise RunError(
                "a process that read recordings died; was there enough memory?",
                fix="Go on with --resume and fewer --jobs.",
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _encode(recording: Recording, schema: Schema, folder: Path, number: int) -> Piece:
    check_streams(recording, schema)
    return write_piece(_piece_path(folder, number), recording)


def _piece_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.bin"
