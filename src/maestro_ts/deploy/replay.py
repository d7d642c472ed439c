"""A recording as a stream: its samples in the order of their times, as fast as they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from maestro_ts.deploy.stream_source import Chunk
from maestro_ts.signals.recording import Recording

__all__ = ["Replay"]


class Replay:
    """A `StreamSource` of one recording.

    Parameters
    ----------
    recording : Recording
    chunk_s : float
        Time that the samples of a chunk span.
    """

    connected = True

    def __init__(self, recording: Recording, chunk_s: float = 0.25) -> None:
        self.recording, self.chunk_s = recording, chunk_s

    def __iter__(self) -> Iterator[Chunk | None]:
        streams = self.recording.streams
        times = {name: stream.sample_times() for name, stream in streams.items()}
        sent = dict.fromkeys(streams, 0)
        ends = [float(stamps[-1]) for stamps in times.values() if len(stamps)]
        for step in range(int(np.ceil(max(ends, default=0.0) / self.chunk_s)) + 1):
            for name, stream in streams.items():
                last = int(np.searchsorted(times[name], (step + 1) * self.chunk_s))
                rows = slice(sent[name], last)
                if rows.stop > rows.start:
                    yield Chunk(name, times[name][rows], stream.values[rows])
                    sent[name] = last

    def metrics(self) -> dict[str, Any]:
        """Nothing happens on the way."""
        return {}

    def close(self) -> None:
        """Nothing is held."""
