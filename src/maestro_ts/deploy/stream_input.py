"""What is pushed into a live stream, and how its windows wait: refused where it cannot be."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import check_values

__all__ = ["check_clock", "check_timing", "samples_of"]

AHEAD_S = 3600.0  # a time this far ahead of all others is of another clock


def samples_of(
    m: Modality, times: ArrayLike, values: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Times (T,) in s and values (T, C) as arrays; of one channel the values may be (T,).

    Raises
    ------
    DataError
        Another shape, infinite values, times that are not finite, or no numbers at all.
    """
    where = f"modality {m.name!r}"
    try:
        stamps = np.atleast_1d(np.asarray(times, np.float64))
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite
            samples = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"times and values are no numbers: {error}.", where=where) from error
    if samples.ndim == 1 and m.channels == 1:
        samples = samples[:, None]
    if stamps.ndim != 1 or samples.shape != (len(stamps), m.channels):
        raise DataError(
            f"values {samples.shape} at times {stamps.shape} are no samples of "
            f"{m.channels} channel{'s' if m.channels > 1 else ''}.",
            where=where,
        )
    check_values(samples, where)
    if not m.static and not np.isfinite(stamps).all():
        raise DataError("times are not finite.", where=where)
    return stamps, samples


def check_clock(m: Modality, stamps: NDArray[np.float64], now_s: float) -> None:
    """Refuse times of another clock, which would end the waiting for all other sensors.

    Raises
    ------
    DataError
    """
    latest = float(stamps.max(initial=-np.inf))
    if latest > now_s + AHEAD_S:
        raise DataError(
            f"time {latest:.6g} s is {latest - now_s:.6g} s ahead of the stream.",
            where=f"modality {m.name!r}",
            fix="Devices need one clock: give its clock offset.",
        )


def check_timing(
    schema: Schema,
    stride_s: float,
    tolerance_s: float,
    timeout_s: float,
    clock_offsets: Mapping[str, float],
) -> None:
    """Refuse times that do not fit, and devices that there are not.

    Raises
    ------
    ConfigError
    """
    if not (stride_s > 0 and math.isfinite(stride_s)):
        raise ConfigError(f"stride_s must be positive, got {stride_s!r}.")
    for name, value in (("tolerance_s", tolerance_s), ("timeout_s", timeout_s)):
        if not (value >= 0 and math.isfinite(value)):
            raise ConfigError(f"{name} must be 0 or more, got {value!r}.")
    for device, offset_s in clock_offsets.items():
        if device not in schema.devices:
            raise ConfigError(
                f"a clock offset is given for the device {device!r}, which there is not.",
                fix=nearest(device, schema.devices),
            )
        if not math.isfinite(offset_s):
            raise ConfigError(f"the clock offset of {device!r} must be finite, got {offset_s!r}.")
