"""`Conditioning`: what is done to a modality's samples before windows are cut: filter, lower rate.

Gaps stay gaps: whatever runs without one is conditioned by itself, and a run that is too short for
that becomes missing, since its samples would be of another kind than their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.downsample import Downsampler
from maestro_ts.signals.filters import Filter
from maestro_ts.signals.recording import Stream

__all__ = ["Conditioning"]

GAP_STEPS = 1.5  # between two samples: some are absent
JITTER = 0.25  # of a step, off the nominal one
JITTERY = 0.1  # share of such steps in a stream that has no rate in truth


@dataclass(frozen=True)
class Conditioning:
    """Filter first, then a lower rate; None: not done.

    Parameters
    ----------
    filter : Filter or None
    downsample_hz : float or None
    """

    filter: Filter | None = None
    downsample_hz: float | None = None

    def __bool__(self) -> bool:
        return self.filter is not None or self.downsample_hz is not None

    def check_rate(self, rate_hz: float | None) -> None:
        """Refuse a rate at which this cannot be done.

        Raises
        ------
        ConfigError
        """
        if not self:
            return
        if rate_hz is None:
            raise ConfigError("an irregular modality can be neither filtered nor downsampled.")
        if self.filter is not None:
            self.filter.check_rate(rate_hz)
        if self.downsample_hz is not None:
            Downsampler(rate_hz, self.downsample_hz)

    def __call__(self, stream: Stream) -> tuple[Stream, int]:
        """The conditioned stream, and how many of its samples became missing.

        A stream with times of its own is taken as regular between its gaps.

        Raises
        ------
        ConfigError
            It has no rate, or one at which this cannot be done.
        DataError
            Its times tell no rate, or another one.
        """
        self.check_rate(stream.rate_hz)
        if not self or stream.rate_hz is None:
            return stream, 0
        parts = [self._part(stream, rows) for rows in _regular(stream, stream.rate_hz)]
        lost = sum(part[2] for part in parts)
        values = np.concatenate([part[0] for part in parts]).astype(np.float32)
        rate = self.downsample_hz or stream.rate_hz
        if stream.times is None:
            return replace(stream, values=values, rate_hz=rate), lost
        times = np.concatenate([part[1] for part in parts])
        return Stream(values, rate, times), lost

    def _part(
        self, stream: Stream, rows: slice
    ) -> tuple[NDArray[np.floating], NDArray[np.float64], int]:
        """Values, times and lost samples of rows at equal steps."""
        rate = stream.rate_hz
        assert rate is not None
        values: NDArray[np.floating] = stream.values[rows]
        stamps = np.zeros(0) if stream.times is None else stream.times[rows]
        missing = np.isnan(values).sum()
        if self.filter is not None:
            values = self.filter(values, rate)
        lost = int(np.isnan(values).sum() - missing)
        if self.downsample_hz is None or self.downsample_hz == rate:
            return values, stamps, lost
        lower = Downsampler(rate, self.downsample_hz)
        made, at = lower(values), lower.positions(len(values))
        if len(stamps):
            stamps = np.interp(at, np.arange(len(stamps)), stamps)
        # A new sample without value whose neighbours had some stood in a run that was too short.
        near = ~np.isnan(values[np.floor(at).astype(int)]) & np.isnan(made)
        return made, stamps, lost + int(near.sum() * rate / self.downsample_hz)


def _regular(stream: Stream, rate_hz: float) -> list[slice]:
    """Rows between gaps of time, or all of them."""
    if stream.times is None or len(stream.times) < 2:
        return [slice(0, len(stream.values))]
    steps = np.diff(stream.times) * rate_hz
    gaps = steps > GAP_STEPS
    within = steps[~gaps]
    off = np.abs(within - 1) > JITTER
    if not len(within) or off.mean() > JITTERY:
        usual = np.median(steps) / rate_hz
        raise DataError(
            f"the steps of its times vary or are not those of {rate_hz:g} Hz (the usual one is "
            f"{usual:g} s): it can be neither filtered nor downsampled.",
            fix="Correct rate_hz, or leave out filter and downsample_hz.",
        )
    borders = [0, *(np.flatnonzero(gaps) + 1).tolist(), len(stream.values)]
    return [slice(a, b) for a, b in pairwise(borders)]
