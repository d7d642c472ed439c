"""A lower rate without aliases: a linear-phase low-pass, then every so many samples.

Frequencies up to 0.8 of the new Nyquist frequency pass, those from it on are damped by 60 dB.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.signals.runs import valid_runs

__all__ = ["Downsampler"]

PASSED = 0.8  # of the new Nyquist frequency
DAMPING_DB = 60.0
MOST = 1000  # in numerator and denominator of the rates' ratio


@dataclass(frozen=True)
class Downsampler:
    """From one rate to a lower one.

    Raises
    ------
    ConfigError
        The new rate is above the old one, or their ratio is no fraction of small numbers.
    """

    rate_hz: float
    new_hz: float

    def __post_init__(self) -> None:
        if not 0 < self.new_hz <= self.rate_hz:
            raise ConfigError(
                f"downsample_hz {self.new_hz:g} is above the rate of {self.rate_hz:g} Hz."
            )
        ratio = Fraction(self.new_hz / self.rate_hz).limit_denominator(MOST)
        if not ratio or abs(float(ratio) * self.rate_hz / self.new_hz - 1) > 1e-9:
            raise ConfigError(
                f"{self.new_hz:g} Hz of {self.rate_hz:g} Hz is no ratio of whole numbers "
                f"up to {MOST}.",
                fix="Choose a rate that divides it.",
            )

    @cached_property
    def ratio(self) -> Fraction:
        """New over old rate."""
        return Fraction(self.new_hz / self.rate_hz).limit_denominator(MOST)

    @cached_property
    def taps(self) -> NDArray[np.float64]:
        """The low-pass at `ratio.numerator` times the old rate, of odd length."""
        from scipy.signal import firwin, kaiserord

        nyquist = 1.0 / self.ratio.denominator
        length, beta = kaiserord(DAMPING_DB, (1 - PASSED) * nyquist)
        cutoff = (1 + PASSED) / 2 * nyquist
        return np.asarray(firwin(length | 1, cutoff, window=("kaiser", beta)), np.float64)

    @property
    def reach(self) -> int:
        """Old samples on either side that a new one is made from."""
        return ceil((len(self.taps) // 2) / self.ratio.numerator)

    def positions(self, rows: int) -> NDArray[np.float64]:
        """Where the new samples lie between the old ones, from the first to at most the last."""
        n = (rows - 1) * self.ratio.numerator // self.ratio.denominator + 1 if rows else 0
        step = self.ratio.denominator / self.ratio.numerator
        return np.asarray(np.arange(n) * step, np.float64)

    def __call__(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Every run without NaN by itself; the new samples lie on one grid from the first row.

        Parameters
        ----------
        values : ndarray, shape (T, C)

        Returns
        -------
        ndarray, shape (N, C)
            NaN in gaps, and in runs of `reach` samples or fewer, which no odd extension continues.
        """
        out = np.full((len(self.positions(len(values))), values.shape[1]), np.nan)
        for channels, first, end in valid_runs(values):
            if end - first > self.reach:
                low, rows = self._run(np.asarray(values[first:end, channels], np.float64), first)
                out[low : low + len(rows), channels] = rows
        return out

    def _run(self, rows: NDArray[np.float64], first: int) -> tuple[int, NDArray[np.float64]]:
        """Number of the first new sample in a run that begins at row `first`, and the samples."""
        from scipy import signal

        resample: Any = signal.resample_poly  # its stubs know no taps
        up, down = self.ratio.numerator, self.ratio.denominator
        # The extension begins on the new grid, so that the result lies on it.
        before = self.reach + (first - self.reach) % down
        around = ((before, self.reach), (0, 0))
        extended = np.pad(rows, around, mode="reflect", reflect_type="odd")
        made = resample(extended, up, down, axis=0, window=self.taps)
        begin = (first - before) // down * up
        low = -(-first * up // down)
        high = (first + len(rows) - 1) * up // down + 1
        return low, np.asarray(made[low - begin : high - begin], np.float64)
