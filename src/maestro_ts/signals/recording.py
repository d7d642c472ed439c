"""`Recording`: one subject's stretch of data, every stream at its own rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maestro_ts.errors import DataError

__all__ = ["CLOCKS", "Interval", "Recording", "Stream", "check_values", "unlabelled"]

CLOCKS = ("shared", "start-aligned", "stretched")


def check_values(values: NDArray[np.floating], where: str) -> None:
    """Refuse infinities, with the position of the first; NaN is legal and means missing."""
    bad = np.isinf(values)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"infinite value at index {first} ({int(bad.sum())} in all).",
            where=where,
            fix="Infinity is not a measurement: use NaN for a missing sample.",
        )


@dataclass(frozen=True)
class Stream:
    """A recording's data of one modality.

    Parameters
    ----------
    values : ndarray, shape (T, C), float32
        NaN means missing; infinities are refused.
    rate_hz : float or None
        Sample j sits at ``start_s + j / rate_hz``.
    times : ndarray, shape (T,), float64, or None
        Seconds on the recording's clock. Equal stamps are legal, decreasing ones are refused.
        Exactly one of `rate_hz` and `times` is needed; when both are given `times` decides and
        the rate is the nominal one.
    start_s : float
        Time of the first sample on the recording's clock (regular streams).
    """

    values: NDArray[np.float32]
    rate_hz: float | None = None
    times: NDArray[np.float64] | None = None
    start_s: float = 0.0

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float32)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2:
            raise DataError(f"a stream has shape (T, C), got {values.shape}.")
        check_values(values, "stream")
        object.__setattr__(self, "values", values)
        if self.times is None and self.rate_hz is None:
            raise DataError("a stream needs rate_hz or times.")
        if self.times is not None:
            times = np.asarray(self.times, dtype=np.float64)
            if times.shape != (len(values),):
                raise DataError(f"{len(values)} samples but {times.shape} times.")
            check_times(times, "stream")
            object.__setattr__(self, "times", times)

    @classmethod
    def constant(cls, values: ArrayLike) -> Stream:
        """One sample that holds throughout: the stream of a static modality.

        Parameters
        ----------
        values : float or array-like, shape (C,)
        """
        return cls(np.atleast_2d(np.asarray(values, np.float32)), times=np.zeros(1))

    def __repr__(self) -> str:
        rate = "irregular" if self.rate_hz is None else f"{self.rate_hz:g} Hz"
        return f"Stream({self.values.shape[0]} x {self.values.shape[1]}, {rate})"

    def sample_times(self) -> NDArray[np.float64]:
        """Time of every sample in seconds on the recording's clock, shape (T,)."""
        if self.times is not None:
            return self.times
        assert self.rate_hz is not None
        return self.start_s + np.arange(len(self.values)) / self.rate_hz

    @property
    def end_s(self) -> float:
        """Time just after the last sample: one step (nominal, or else the usual one) later."""
        if self.times is not None:
            steps = np.diff(self.times)
            steps = steps[steps > 0]
            usual = float(np.median(steps)) if len(steps) else 0.0
            step = 1.0 / self.rate_hz if self.rate_hz else usual
            return float(self.times[-1]) + step if len(self.times) else 0.0
        assert self.rate_hz is not None
        return self.start_s + len(self.values) / self.rate_hz


def check_times(times: NDArray[np.float64], where: str) -> None:
    """Refuse times that are not finite or that decrease, with the position."""
    if not np.isfinite(times).all():
        at = int(np.flatnonzero(~np.isfinite(times))[0])
        raise DataError(f"time {times[at]} at sample {at} is not finite.", where=where)
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        at = int(back[0])
        raise DataError(
            f"times decrease at sample {at + 1}: {times[at]:g} s, then {times[at + 1]:g} s.",
            where=where,
            fix="Sort the samples by time first if their order in the file has no meaning.",
        )


@dataclass(frozen=True)
class Interval:
    """A label that holds from `start_s` to `end_s` on the recording's clock."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Recording:
    """One subject's stretch of data.

    Parameters
    ----------
    streams : mapping of modality name to Stream
        A sensor that was not worn is absent from the mapping, never zeros. A static modality has
        one sample (`Stream.constant`), which belongs to every window of the recording.
    subject : str
        What splits must keep together.
    source : str
        File (and member) it came from, unique within a data set.
    labels : tuple of Interval
        What is known of the state, in time.
    duration_s : float
        Length of the stretch, from 0 to `duration_s` on its clock.
    clock : {"shared", "start-aligned", "stretched"}
        Whether the streams share a clock; the data set's card says which. The times of streams
        that share none are laid out by the reader, so that all of them span the recording.
    """

    streams: Mapping[str, Stream]
    subject: str
    source: str
    labels: tuple[Interval, ...] = ()
    duration_s: float = 0.0
    clock: str = "shared"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.clock not in CLOCKS:
            raise DataError(f"clock must be one of {CLOCKS}, got {self.clock!r}.")
        if not self.duration_s:
            ends = [s.end_s for s in self.streams.values()]
            object.__setattr__(self, "duration_s", max(ends, default=0.0))


def unlabelled(recordings: Iterable[Recording]) -> list[Recording]:
    """The same recordings without their labels."""
    return [replace(recording, labels=()) for recording in recordings]
