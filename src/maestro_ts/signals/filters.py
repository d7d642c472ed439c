"""Butterworth filters forwards and backwards: no delay, and so nothing for a live stream.

Filtering twice doubles the order and puts the cut-off frequencies at −6 dB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.signals.runs import valid_runs

__all__ = ["Filter", "shortest"]

MOST_ORDER = 10


@dataclass(frozen=True)
class Filter:
    """What passes.

    Parameters
    ----------
    high_pass_hz, low_pass_hz : float or None
        What is slower, or faster, is taken away; one of them is needed.
    order : int
        1 to 10, of one pass.
    """

    high_pass_hz: float | None = None
    low_pass_hz: float | None = None
    order: int = 4

    def __post_init__(self) -> None:
        if self.high_pass_hz is None and self.low_pass_hz is None:
            raise ConfigError("a filter needs high_pass_hz or low_pass_hz.")
        for name in ("high_pass_hz", "low_pass_hz"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ConfigError(f"{name} must be positive and finite, got {value!r}.")
        if self.high_pass_hz and self.low_pass_hz and self.high_pass_hz >= self.low_pass_hz:
            raise ConfigError(
                f"high_pass_hz {self.high_pass_hz:g} is not below low_pass_hz {self.low_pass_hz:g}."
            )
        if not 1 <= self.order <= MOST_ORDER:
            raise ConfigError(f"order must lie in [1, {MOST_ORDER}], got {self.order!r}.")

    def check_rate(self, rate_hz: float) -> None:
        """Refuse a rate at which a cut-off frequency does not exist.

        Raises
        ------
        ConfigError
        """
        highest = max(self.high_pass_hz or 0.0, self.low_pass_hz or 0.0)
        if highest >= rate_hz / 2:
            raise ConfigError(
                f"a cut-off of {highest:g} Hz is not below half the rate of {rate_hz:g} Hz."
            )

    def sections(self, rate_hz: float) -> NDArray[np.float64]:
        """Second-order sections, (S, 6)."""
        from scipy import signal

        self.check_rate(rate_hz)
        edges: Any = [f for f in (self.high_pass_hz, self.low_pass_hz) if f is not None]
        butter: Any = signal.butter  # its stubs know no kind that is worked out
        kind = "bandpass" if len(edges) == 2 else "highpass" if self.high_pass_hz else "lowpass"
        edges = edges if len(edges) == 2 else edges[0]
        return np.asarray(butter(self.order, edges, kind, output="sos", fs=rate_hz), np.float64)

    def __call__(self, values: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
        """Filter every run without NaN by itself.

        Parameters
        ----------
        values : ndarray, shape (T, C)
            Samples at equal steps.
        rate_hz : float

        Returns
        -------
        ndarray, shape (T, C)
            NaN where it was, and in runs of `shortest` samples or fewer, which no odd extension
            continues.
        """
        from scipy.signal import sosfiltfilt

        sections = self.sections(rate_hz)
        out = np.full(values.shape, np.nan)
        for channels, first, end in valid_runs(values):
            if end - first > shortest(sections):
                rows = np.asarray(values[first:end, channels], np.float64)
                out[first:end, channels] = sosfiltfilt(sections, rows, axis=0)
        return out


def shortest(sections: NDArray[np.float64]) -> int:
    """Samples that a run must have more than: by how many it is extended at either end.

    27 for a band of order 4, 15 with one cut-off of order 4.
    """
    idle = min(int((sections[:, 2] == 0).sum()), int((sections[:, 5] == 0).sum()))
    return 3 * (2 * len(sections) + 1 - idle)
