"""What a page draws of a recording: its samples, thinned out, and the symbols they become."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.recording import Recording, Stream
from maestro_ts.signals.windows import Windows

__all__ = ["signals_of", "symbols_of"]

COLUMNS = 3000  # of a picture that can be zoomed; each has the least and the largest sample
MOST = 400  # windows with symbols: more bins than a screen has columns
ROUNDING_S = 1e-9


def signals_of(recording: Recording) -> dict[str, Any]:
    """Modality → ``times_s`` and ``values [channels][samples]``; None is missing."""
    return {
        name: _thinned(stream, recording.duration_s) for name, stream in recording.streams.items()
    }


def _thinned(stream: Stream, duration_s: float) -> dict[str, Any]:
    times, values = stream.sample_times(), stream.values
    if len(times) > 2 * COLUMNS:
        times, values = _extremes(times, values, duration_s)
    return {
        "times_s": [round(t, 4) for t in times.tolist()],
        "values": [
            [None if np.isnan(v) else float(f"{v:.5g}") for v in channel.tolist()]
            for channel in values.T
        ],
    }


def _extremes(
    times: NDArray[np.float64], values: NDArray[np.float32], duration_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Least and largest of every column and channel: peaks stay, and a gap stays a gap."""
    column = np.clip(times / max(duration_s, ROUNDING_S) * COLUMNS, 0, COLUMNS - 1).astype(int)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), first, axis=0)
    high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), first, axis=0)
    pairs = np.stack([low, high], axis=1).reshape(-1, values.shape[1])
    pairs[~np.isfinite(pairs)] = np.nan
    return np.repeat(times[first], 2), pairs.astype(np.float32)


def symbols_of(front_end: object, windows: Windows) -> list[dict[str, Any]] | None:
    """Symbols of windows of one recording that do not overlap, from the first on.

    Of very many, some that are evenly spread. None for a model whose front end makes no symbols.
    """
    if not isinstance(front_end, SymbolFrontEnd):
        return None
    rows, end_s = [], -np.inf
    for i in range(len(windows)):
        if windows.start_s[i] >= end_s - ROUNDING_S:
            rows.append(i)
            end_s = windows.start_s[i] + windows.duration_s[i]
    if not rows:
        return []
    rows = rows[:: -(-len(rows) // MOST)]
    chosen = windows[rows].with_schema(front_end.schema)
    found = front_end.symbolizer(chosen)
    views = {m.name: front_end.symbolizer.views_of(m) for m in front_end.schema}
    return [
        {
            "start_s": float(chosen.start_s[i]),
            "duration_s": float(chosen.duration_s[i]),
            "views": {
                name: {
                    view: found[name].tokens[i, :, :, v].T.tolist()
                    for v, view in enumerate(views[name])
                }
                for name in front_end.schema.names
            },
        }
        for i in range(len(rows))
    ]
