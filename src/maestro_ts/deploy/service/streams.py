"""Samples of a request → the `Stream` of a modality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Stream

__all__ = ["known", "regular", "stream_of"]

JITTER = 0.01  # of a step; stamps nearer to the grid of the rate only round it


def known(schema: Schema, name: str, where: str) -> Modality:
    """A modality of the run; an unknown name proposes its neighbours."""
    if name not in schema:
        raise DataError(f"unknown modality {name!r}.", where=where, fix=nearest(name, schema.names))
    return schema[name]


def stream_of(
    modality: Modality,
    values: NDArray[np.float64],
    where: str,
    *,
    rate_hz: float | None = None,
    start_s: float = 0.0,
    times: NDArray[np.float64] | None = None,
) -> Stream:
    """Samples (T, C) with their rate, their times, or neither where a modality is static.

    Raises
    ------
    DataError
        No time, two kinds of it, infinities, times that decrease.
    """
    if modality.static:
        if rate_hz is not None or times is not None or len(values) != 1:
            raise DataError("a static modality has one row of values, and no time.", where=where)
        times = np.zeros(1)
    elif (rate_hz is None) == (times is None):
        raise DataError("rate_hz or times is needed, and only one of them.", where=where)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        samples = values.astype(np.float32)
    try:
        if times is None:
            return Stream(samples, rate_hz, start_s=start_s)
        return regular(Stream(samples, modality.rate_hz, times))
    except DataError as error:
        raise DataError(error.what, where=where, fix=error.fix) from None


def regular(stream: Stream) -> Stream:
    """Without times where they are those of the rate but for rounding: as if read from files."""
    times, rate = stream.times, stream.rate_hz
    if times is None or rate is None or not len(times):
        return stream
    start_s = float(times[0])
    with np.errstate(over="ignore"):
        off = np.abs((times - start_s) * rate - np.arange(len(times)))
    if not (off <= JITTER).all():
        return stream
    return Stream(stream.values, rate, start_s=start_s)
