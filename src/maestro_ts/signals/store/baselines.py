"""Baselines of a store's recordings: found from the signals, kept with the table of windows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.baseline import ZScore, in_period
from maestro_ts.signals.runs import true_runs
from maestro_ts.signals.store.buffers import StoredTimes, StoredValues
from maestro_ts.signals.store.tables import StreamRow
from maestro_ts.signals.window_spec import Period

__all__ = ["from_text", "to_text", "with_baselines"]


def with_baselines(
    streams: Sequence[StreamRow],
    values: StoredValues,
    times: StoredTimes | None,
    period: Period,
) -> list[StreamRow]:
    """Streams of one modality with their z-scores and the gaps of the values relative to them.

    Only the period is read, and of a stream with a channel that has no baseline the whole; one
    stream at a time is in memory.
    """
    found = []
    for stream in streams:
        inside = in_period(_times(stream, times), period)
        zscore = ZScore.of(values[stream.first + inside.start : stream.first + inside.stop])
        gaps = stream.gaps
        if zscore.missing.any():
            scores = zscore(values[stream.first : stream.first + stream.length])
            gaps = true_runs(np.asarray(np.isnan(scores).all(axis=1)))
        found.append(replace(stream, zscore=zscore, gaps=gaps))
    return found


def _times(stream: StreamRow, times: StoredTimes | None) -> NDArray[np.float64]:
    """As `Stream.sample_times`."""
    if times is not None:
        return times[stream.first : stream.first + stream.length]
    assert stream.rate_hz is not None
    return stream.start_s + np.arange(stream.length) / stream.rate_hz


def to_text(streams: Mapping[str, Sequence[StreamRow]]) -> str:
    """JSON: per modality with baselines ``[mean, deviation]`` of its streams, in order."""
    found = {
        name: [(_plain(z.mean), _plain(z.deviation)) for row in rows if (z := row.zscore)]
        for name, rows in streams.items()
    }
    return json.dumps({name: rows for name, rows in found.items() if rows})


def from_text(
    text: str, streams: Mapping[str, Sequence[StreamRow]]
) -> dict[str, Sequence[StreamRow]]:
    """The streams with what `to_text` says of them."""
    found = dict(streams)
    for name, rows in json.loads(text).items():
        zscores = [ZScore(*(np.array(part, np.float64) for part in row)) for row in rows]
        found[name] = [
            replace(row, zscore=zscore) for row, zscore in zip(found[name], zscores, strict=True)
        ]
    return found


def _plain(column: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(x) else float(x) for x in column]
