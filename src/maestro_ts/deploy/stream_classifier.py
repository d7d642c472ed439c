"""`StreamClassifier`: samples of live sensors in, an answer for every window out.

The windows are those that `signals.cut` makes of a recording with the samples that were accepted.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from maestro_ts.deploy.incremental import IncrementalFrontEnd
from maestro_ts.deploy.ring_buffer import RingBuffer
from maestro_ts.deploy.stream_input import check_clock, check_timing, samples_of
from maestro_ts.deploy.stream_metrics import SensorMetrics, StreamMetrics
from maestro_ts.deploy.stream_result import StreamResult, result_of
from maestro_ts.deploy.stream_windows import window_of
from maestro_ts.errors import DataError, nearest
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.baseline import Baseline, ZScore
from maestro_ts.signals.coverage import is_covered
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.rows import BORDER_S
from maestro_ts.signals.window_spec import WindowSpec

__all__ = ["StreamClassifier"]

ROUNDING = 1e-9  # of a step, as where windows of recordings are placed
SPARE = 4  # times the samples that a rate promises are held
IRREGULAR_ROWS = 2**18  # held of a modality without a rate


class StreamClassifier:
    """A fitted model for samples as they come.

    Parameters
    ----------
    model : MaestroClassifier or MaestroRegressor
    stride_s : float, optional
        From one window's begin to the next; by default `windows.step_s`, or else the duration.
    windows : WindowSpec, optional
        How the model's recordings were cut; its label rule does not count. By default windows of
        the model's duration.
    tolerance_s : float
        A window is answered this long after its end, so that samples in wrong order find it.
    timeout_s : float
        A window waits this long for a sensor from which nothing comes; then the sensor is
        missing in it. Longer than the sources take to send.
    clock_offsets : dict of device to float, optional
        Seconds to be added to the times of a device's modalities to be on the stream's clock.
    start_s : float, optional
        Where the first window may begin, on the stream's clock; by default the first time pushed.

    Raises
    ------
    ConfigError
        Times that do not fit, an unknown device, or a baseline of a whole session.
    """

    def __init__(
        self,
        model: MaestroClassifier | MaestroRegressor,
        stride_s: float | None = None,
        *,
        windows: WindowSpec | None = None,
        tolerance_s: float = 0.25,
        timeout_s: float = 5.0,
        clock_offsets: Mapping[str, float] | None = None,
        start_s: float | None = None,
    ) -> None:
        check_is_fitted(model, "network_")
        self.schema = model.schema_
        self.windows = windows or WindowSpec()
        self.duration_s = self.windows.duration_s or float(model.duration_)
        step_s = self.windows.step_s or self.duration_s
        self.stride_s = step_s if stride_s is None else stride_s
        self.tolerance_s, self.timeout_s = tolerance_s, timeout_s
        check_timing(self.schema, self.stride_s, tolerance_s, timeout_s, clock_offsets or {})
        self._offsets = {m.name: (clock_offsets or {}).get(m.device, 0.0) for m in self.schema}
        self._model = copy.copy(model)
        if isinstance(model.front_end_, SymbolFrontEnd):
            self._model.front_end_ = IncrementalFrontEnd(model.front_end_)
        self._origin_s = start_s
        self._live = [m for m in self.schema if not m.static]
        self._buffers = {m.name: RingBuffer(m.channels, self._capacity(m)) for m in self._live}
        self._static: dict[str, NDArray[np.float32]] = {}
        self._newest = {m.name: 0.0 for m in self._live}  # seconds from the stream's start
        self._counts = {m.name: SensorMetrics() for m in self.schema}
        self._now = 0.0
        first_s, baseline_s = self.windows.first_s, self.windows.baseline_s
        self._next = max(0, math.ceil(first_s / self.stride_s - ROUNDING))
        self._answered = self._left_out = 0
        self._frontier = 0.0  # all before this is in windows that were answered
        self._baseline = None if baseline_s is None else Baseline(self.schema, baseline_s)
        self._scales: dict[str, ZScore] = {}
        self._told_s = 0.0  # what lies before is known to the baseline

    # ----------------------------------------------------------------- samples

    def push(self, modality: str, times: ArrayLike, values: ArrayLike) -> list[StreamResult]:
        """Take samples of a modality, in any order, and answer the windows that are due.

        Parameters
        ----------
        modality : str
        times : array-like, shape (T,)
            Seconds on the device's clock. Of a static modality they do not count.
        values : array-like, shape (T, C), or (T,) for one channel
            NaN is missing. Of a static modality the last row holds from now on.

        Raises
        ------
        DataError
            An unknown modality, another shape, infinities, times that are none: nothing is taken.
        """
        if modality not in self.schema:
            raise DataError(
                f"unknown modality {modality!r}.", fix=nearest(modality, self.schema.names)
            )
        m, count = self.schema[modality], self._counts[modality]
        stamps, samples = self._checked(m, times, values)
        if m.static:
            if len(samples):
                self._static[modality] = samples[-1:].copy()
                count.accepted += len(samples)
            return []
        if not len(stamps):
            return []
        if self._origin_s is None:
            self._origin_s = float(stamps.min())
        stamps = stamps - self._origin_s
        in_time = stamps >= self._frontier - BORDER_S
        count.late += int((~in_time).sum())
        stamps, samples = stamps[in_time], samples[in_time]
        if not len(stamps):
            return []
        count.dropped += self._buffers[modality].insert(stamps, samples)
        count.accepted += len(stamps)
        self._newest[modality] = max(self._newest[modality], float(stamps.max()))
        self._now = max(self._now, self._newest[modality])
        return self._answer_due()

    def advance(self, now_s: float) -> list[StreamResult]:
        """Say what time it is on the stream's clock, where nothing comes that would tell.

        Without it a stream of which all sensors fall silent stands still.
        """
        if self._origin_s is not None:
            self._now = max(self._now, now_s - self._origin_s)
        return self._answer_due()

    def finish(self, end_s: float | None = None) -> list[StreamResult]:
        """Answer the windows that lie in the stream up to its end, waiting for nothing.

        Parameters
        ----------
        end_s : float, optional
            On the stream's clock; by default one step after the newest sample.
        """
        if self._origin_s is None:
            return []
        ends = [
            self._newest[m.name] + (1.0 / m.rate_hz if m.rate_hz else 0.0)
            for m in self._live
            if self._counts[m.name].accepted
        ]
        end = max(ends, default=0.0) if end_s is None else end_s - self._origin_s
        beyond_s = (1.0 - self.windows.min_inside) * self.duration_s
        last = math.floor((end + beyond_s - self.duration_s) / self.stride_s + ROUNDING)
        found = []
        while self._next <= last:
            found += self._answer()
        return found

    # ----------------------------------------------------------------- what is known

    @property
    def now_s(self) -> float | None:
        """The newest time known, on the stream's clock; None before the first sample."""
        return None if self._origin_s is None else self._origin_s + self._now

    def silent(self) -> set[str]:
        """Modalities from which nothing came for longer than their time-out."""
        return {m.name for m in self._live if self._silent(m)}

    def metrics(self) -> StreamMetrics:
        """What became of the samples so far."""
        for m in self._live:
            count = self._counts[m.name]
            count.since_last_s = self._now - self._newest[m.name]
            count.silent = self._silent(m)
        sensors = {name: copy.copy(count) for name, count in self._counts.items()}
        return StreamMetrics(self._answered, self._left_out, self.now_s or 0.0, sensors)

    # ----------------------------------------------------------------- windows

    def _silent(self, m: Modality) -> bool:
        return self._now - self._newest[m.name] > self.timeout_s

    def _due(self, end_s: float) -> bool:
        """Whether nothing that a window waits for may still come."""
        ended = self._now >= end_s + self.tolerance_s
        for m in self._live:
            if m.rate_hz is None or self._silent(m):
                if not ended:
                    return False
            elif self._newest[m.name] + 1.0 / m.rate_hz < end_s + self.tolerance_s - BORDER_S:
                return False
        return bool(self._live)

    def _answer_due(self) -> list[StreamResult]:
        found: list[StreamResult] = []
        while self._due(self._next * self.stride_s + self.duration_s):
            found += self._answer()
        return found

    def _answer(self) -> list[StreamResult]:
        """Answer the next window, and let go of what no later one holds."""
        start_s = self._next * self.stride_s
        end_s = start_s + self.duration_s
        if self._baseline is not None:
            self._tell_baseline(self._baseline, end_s)
        windows = window_of(
            self.schema, self._buffers, self._static, self._scales, start_s, self.duration_s
        )
        self._next += 1
        self._frontier = end_s
        share, found = self.windows.min_coverage, []
        if (
            share
            and not is_covered(self.schema, windows.valid_counts(), windows.duration_s, share).any()
        ):
            self._left_out += 1
        else:
            self._answered += 1
            begins = (self._origin_s or 0.0) + start_s
            found = [result_of(self._model, windows, self._model.explain(windows), begins)]
        for buffer in self._buffers.values():
            buffer.release(self._next * self.stride_s)
        return found

    def _tell_baseline(self, baseline: Baseline, end_s: float) -> None:
        """What no later sample can change is told in its order."""
        for m in self._live:
            buffer = self._buffers[m.name]
            rows = buffer.between(self._told_s, end_s)
            if m.name not in self._scales:
                scale = baseline.push(m.name, buffer.times[rows], buffer.values[rows])
                if scale is not None:
                    self._scales[m.name] = scale
        self._told_s = end_s

    def _checked(
        self, m: Modality, times: ArrayLike, values: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Samples on the stream's clock; what is none is counted before it is refused."""
        try:
            stamps, samples = samples_of(m, times, values)
            stamps = stamps + self._offsets.get(m.name, 0.0)
            if self.now_s is not None and not m.static:
                check_clock(m, stamps, self.now_s)
        except DataError:
            self._counts[m.name].rejected += max(1, np.size(times))
            raise
        return stamps, samples

    def _capacity(self, m: Modality) -> int:
        """Rows held at most: what windows need while they wait, and more."""
        if m.rate_hz is None:
            return IRREGULAR_ROWS
        longest_s = max(self.duration_s, self.stride_s) + self.windows.first_s
        longest_s += self.tolerance_s + self.timeout_s
        return max(IRREGULAR_ROWS, math.ceil(SPARE * longest_s * m.rate_hz))
