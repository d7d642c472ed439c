"""Changes of rate. Only the paper's recipe asks for one; everything else keeps native rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples, Windows

__all__ = ["interpolate"]


def interpolate(windows: Windows, rate_hz: float) -> Windows:
    """Interpolate regular streams slower than `rate_hz` linearly to it; others are unchanged.

    Sample j of the result sits at ``(j + ½) / rate_hz``. End values are held; a sample further than
    one native step from every valid one is NaN, so long gaps are not filled.
    """
    samples = {
        m.name: _interpolated(windows.samples[m.name], windows.duration_s, rate_hz)
        if m.rate_hz is not None and m.rate_hz < rate_hz and not m.static
        else windows.samples[m.name]
        for m in windows.schema
    }
    return windows.replace(samples=samples)


def _interpolated(piece: Samples, duration_s: NDArray[np.float64], rate_hz: float) -> Samples:
    n, channels = len(piece.starts), piece.values.shape[1]
    assert piece.rate_hz is not None
    reach = 1.0 / piece.rate_hz
    counts = np.where(piece.lengths > 0, np.round(duration_s * rate_hz), 0).astype(np.int64)
    out = np.full((int(counts.sum()), channels), np.nan, dtype=np.float32)
    starts = np.cumsum(counts) - counts
    for i in np.flatnonzero(counts):
        values, times = piece.window(int(i))
        at = (np.arange(counts[i]) + 0.5) / rate_hz
        for c in range(channels):
            valid = ~np.isnan(values[:, c])
            if not valid.any():
                continue
            known, level = times[valid], values[valid, c]
            right = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
            left = np.maximum(right - 1, 0)
            far = np.minimum(np.abs(known[right] - at), np.abs(known[left] - at)) > reach
            line = np.interp(at, known, level)
            out[starts[i] : starts[i] + counts[i], c] = np.where(far, np.nan, line)
    return replace(
        piece,
        values=out,
        starts=starts,
        lengths=counts,
        times=None,
        origins_s=np.full(n, 0.5 / rate_hz),
        rate_hz=rate_hz,
    )
