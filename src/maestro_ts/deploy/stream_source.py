"""`StreamSource`: where live samples come from; `run_stream`: from a source through a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_result import StreamResult
from maestro_ts.errors import DataError

__all__ = ["Chunk", "StreamSource", "run_stream"]


@dataclass(frozen=True)
class Chunk:
    """Samples of one modality that came together: times (T,) in s, values (T, C)."""

    modality: str
    times: NDArray[np.float64]
    values: NDArray[np.float32]


class StreamSource(Protocol):
    """Samples of any modality as they come.

    Iterating gives a chunk, or None where nothing came for a moment. Asking for the next one says
    that the last was taken: a source that can keep samples until then loses none.
    """

    connected: bool  # False: nothing can come, which says nothing about the sensors

    def __iter__(self) -> Iterator[Chunk | None]: ...

    def metrics(self) -> dict[str, Any]:
        """What happened on the way: reconnects, what was no samples. Plain values."""

    def close(self) -> None:
        """Nothing more is asked of it."""


def run_stream(
    stream: StreamClassifier,
    source: StreamSource,
    *,
    end_s: float | None = None,
    note: Callable[[str], None] = lambda text: None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[StreamResult]:
    """Answers, as their windows are due, until the source ends.

    Parameters
    ----------
    stream : StreamClassifier
    source : StreamSource
    end_s : float, optional
        Where the stream ends if the source does; see `StreamClassifier.finish`.
    note : callable
        Told, in one sentence, of samples that were refused and of sensors that stop and go.
    stop : callable
        Asked after every chunk: True ends the stream before its source does.
    clock : callable
        Seconds that pass while nothing comes.
    """
    silent: set[str] = set()
    told: set[str] = set()
    anchor_s, known_s = clock(), stream.now_s
    try:
        for chunk in source:
            if chunk is not None:
                try:
                    yield from stream.push(chunk.modality, chunk.times, chunk.values)
                except DataError as error:
                    if error.where not in told:  # the counts tell of its further ones
                        note(f"refused: {error}")
                    told.add(error.where)
            if stream.now_s == known_s and source.connected:
                if chunk is None and known_s is not None:
                    yield from stream.advance(known_s + clock() - anchor_s)
                    anchor_s, known_s = clock(), stream.now_s
            else:
                anchor_s, known_s = clock(), stream.now_s
            now_silent = stream.silent()
            for name in sorted(now_silent - silent):
                note(f"{name}: silent; it is missing until samples come.")
            for name in sorted(silent - now_silent):
                note(f"{name}: samples come again.")
            silent = now_silent
            if stop():
                end_s = None
                break
    finally:
        source.close()
    yield from stream.finish(end_s)
