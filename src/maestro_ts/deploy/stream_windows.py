"""One window of what buffers hold, as `signals.cut` makes it of a recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from maestro_ts.deploy.ring_buffer import RingBuffer
from maestro_ts.signals.baseline import ZScore
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Samples, Windows, absent, window_ids

__all__ = ["window_of"]

ON_GRID_S = 1e-6  # what a regular stream's times may be off; a clock's seconds since 1970 are .2 µs


def window_of(
    schema: Schema,
    buffers: Mapping[str, RingBuffer],
    static: Mapping[str, NDArray[np.float32]],
    scales: Mapping[str, ZScore],
    start_s: float,
    duration_s: float,
) -> Windows:
    """Cut one window.

    Parameters
    ----------
    schema : Schema
    buffers : dict of name to RingBuffer
        Of all modalities that are not static.
    static : dict of name to ndarray, shape (1, C)
        Of static ones that are known.
    scales : dict of name to ZScore
        Of modalities that are relative to their baseline.
    start_s, duration_s : float
        On the buffers' clock.
    """
    samples = {}
    for m in schema:
        if not m.static:
            samples[m.name] = _samples(
                m, buffers[m.name], scales.get(m.name), start_s, start_s + duration_s
            )
        elif m.name in static:
            samples[m.name] = Samples(
                static[m.name], np.zeros(1, np.int64), np.ones(1, np.int64), None, np.zeros(1), None
            )
        else:
            samples[m.name] = absent(m, 1)
    return Windows(
        schema,
        samples,
        start_s=np.array([start_s]),
        duration_s=np.array([duration_s]),
        subjects=np.array([""]),
        sources=np.array(["stream"]),
        ids=window_ids([f"stream@{start_s:.6f}"]),
    )


def _samples(
    m: Modality, buffer: RingBuffer, scale: ZScore | None, begin_s: float, end_s: float
) -> Samples:
    """Rows of one window: regular where their times are those of the rate, else with times."""
    rows = buffer.between(begin_s, end_s)
    times, values = buffer.times[rows], buffer.values[rows]
    if scale is not None:
        values = scale(values)
    count = len(times)
    regular = m.rate_hz is not None and _on_grid(times, m.rate_hz)
    origin = begin_s
    if regular:
        origin = max(float(times[0]) - begin_s, 0.0) if count else 0.0
    return Samples(
        values=values,
        starts=np.zeros(1, np.int64),
        lengths=np.array([count], np.int64),
        times=None if regular else times,
        origins_s=np.array([origin]),
        rate_hz=m.rate_hz,
    )


def _on_grid(times: NDArray[np.float64], rate_hz: float) -> bool:
    if not len(times):
        return True
    off = times - times[0] - np.arange(len(times)) / rate_hz
    return bool(np.abs(off).max() <= ON_GRID_S)
