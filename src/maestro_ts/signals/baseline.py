"""Each recording's own baseline: every channel centred and scaled by what it was at first.

A calibration without labels: a wearer's first minutes say what is usual for the wearer and the
fit of the sensors. Mean and deviation, not median and quantiles: signals of few levels (a
temperature in steps of 0.02 °C) have quantiles that coincide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording, check_times, check_values
from maestro_ts.signals.rows import rows_between
from maestro_ts.signals.window_spec import Period

__all__ = ["Baseline", "ZScore", "in_period", "normalised"]

LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True)
class ZScore:
    """What a stream's channels are centred and scaled by.

    Attributes
    ----------
    mean, deviation : ndarray, shape (C,), float64
        In the channel's unit; NaN for a channel that had no value in the period, or always the
        same one: it has no scale, so all of it is missing.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> ZScore:
        """Statistics of the valid samples of a period, (T, C)."""
        channels = values.shape[1]
        found = cls(np.full(channels, np.nan), np.full(channels, np.nan))
        for c in range(channels):
            valid = values[~np.isnan(values[:, c]), c].astype(np.float64)
            if len(valid) and valid.min() < valid.max():
                found.mean[c], found.deviation[c] = valid.mean(), valid.std()
        return found

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which channels have no baseline, (C,)."""
        return np.isnan(self.deviation)

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Deviations from the baseline, (T, C); NaN stays NaN."""
        scores = values.astype(np.float64)
        scores -= self.mean
        # The quotient of a tiny deviation may be larger than a float32.
        with np.errstate(over="ignore"):
            scores /= self.deviation
        return np.clip(scores, -LARGEST, LARGEST, out=scores).astype(np.float32)


def in_period(times: NDArray[np.float64], period: Period) -> slice:
    """Which samples, in order of time, lie in a period of their recording.

    Parameters
    ----------
    times : ndarray, shape (T,)
        Seconds on the recording's clock.
    period : float or "session"
        Seconds from the recording's 0 s on; a sample at the border lies after it, as in windows.
    """
    if period == "session":
        return slice(0, len(times))
    first, end = rows_between(times, np.zeros(1), np.array([period], np.float64))
    return slice(int(first[0]), int(end[0]))


def normalised(recording: Recording, schema: Schema, period: Period) -> Recording:
    """The recording with every stream as deviations from its baseline; static values stay."""
    streams = dict(recording.streams)
    for name, stream in streams.items():
        if not schema[name].static:
            zscore = ZScore.of(stream.values[in_period(stream.sample_times(), period)])
            streams[name] = replace(stream, values=zscore(stream.values))
    return replace(recording, streams=streams)


class Baseline:
    """The baseline of a recording that is still going on: the same numbers as of the whole.

    Parameters
    ----------
    schema : Schema
    period_s : float
        Seconds from the recording's 0 s on.

    Raises
    ------
    ConfigError
        The period is the session: its end is not known before it.
    """

    def __init__(self, schema: Schema, period_s: Period) -> None:
        if period_s == "session":
            raise ConfigError(
                "the baseline of a session needs its end, a live recording has none yet.",
                fix="Fit with the first seconds instead: --baseline-s 180",
            )
        self.schema, self.period_s = schema, float(period_s)
        self._parts: dict[str, list[NDArray[np.float32]]] = {}
        self._last_s: dict[str, float] = {}
        self._found: dict[str, ZScore] = {}

    def push(self, modality: str, times: ArrayLike, values: ArrayLike) -> ZScore | None:
        """Take the next samples of a modality.

        Parameters
        ----------
        modality : str
            Not a static one.
        times : array-like, shape (T,)
            Seconds on the recording's clock, never decreasing.
        values : array-like, shape (T, C)
            NaN is missing.

        Returns
        -------
        ZScore or None
            None until a sample of this modality lies after the period.

        Raises
        ------
        DataError
            Unknown or static modality, another shape, infinities, times that go back.
        """
        stamps, samples = self._checked(modality, times, values)
        if modality in self._found or not len(stamps):
            return self._found.get(modality)
        inside = in_period(stamps, self.period_s)
        parts = self._parts.setdefault(modality, [])
        parts.append(samples[inside].copy())
        if inside.stop < len(stamps):
            self._found[modality] = ZScore.of(np.concatenate(self._parts.pop(modality)))
        return self._found.get(modality)

    def _checked(
        self, modality: str, times: ArrayLike, values: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        known, where = self.schema[modality], f"modality {modality!r}"
        stamps, samples = np.asarray(times, np.float64), np.asarray(values, np.float32)
        if known.static or stamps.ndim != 1 or samples.shape != (len(stamps), known.channels):
            raise DataError(
                f"values {samples.shape} at times {stamps.shape} are no samples of "
                f"{'a static modality' if known.static else f'{known.channels} channels'}.",
                where=where,
            )
        check_values(samples, where)
        check_times(stamps, where)
        last_s = self._last_s.get(modality, -np.inf)
        if len(stamps):
            if stamps[0] < last_s:
                raise DataError(f"time {stamps[0]:g} s comes after {last_s:g} s.", where=where)
            self._last_s[modality] = float(stamps[-1])
        return stamps, samples
