"""`Batcher`: windows of several requests go through the model together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.windows import Windows

__all__ = ["MOST", "Batcher"]

MOST = 64  # windows in a batch
WAIT_S = 0.002


@dataclass(frozen=True)
class _Part:
    windows: Windows
    answer: Future[Prediction]


class Batcher:
    """One thread that owns the model; what waits is answered together.

    Windows of a batch may lack different sensors. What was submitted is always answered: with a
    prediction, or with the error that its own windows cause.

    Parameters
    ----------
    explain : callable
        Windows → Prediction.
    told : callable (requests, windows)
        Called after each batch.
    """

    def __init__(
        self,
        explain: Callable[[Windows], Prediction],
        told: Callable[[int, int], None] = lambda requests, windows: None,
    ) -> None:
        self._explain, self._told = explain, told
        self._waiting: queue.SimpleQueue[_Part | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def submit(self, windows: Windows) -> Future[Prediction]:
        """Ask for at most `MOST` windows; a cancelled answer is not computed."""
        answer: Future[Prediction] = Future()
        self._waiting.put(_Part(windows, answer))
        return answer

    def close(self) -> None:
        """Answer what was submitted, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (part := self._waiting.get()) is not None:
            parts, ended = self._gathered(part)
            groups: dict[tuple[bool, ...], list[_Part]] = {}
            for each in parts:
                if each.answer.set_running_or_notify_cancel():
                    groups.setdefault(_clock(each.windows), []).append(each)
            for group in groups.values():
                self._answer(group)
            if ended:
                return

    def _gathered(self, first: _Part) -> tuple[list[_Part], bool]:
        """What else arrives within a moment, until the batch is full; whether it was the last."""
        parts, count = [first], len(first.windows)
        until = time.monotonic() + WAIT_S
        while count < MOST:
            try:
                part = self._waiting.get(timeout=max(until - time.monotonic(), 0.0))
            except queue.Empty:
                break
            if part is None:
                return parts, True
            parts.append(part)
            count += len(part.windows)
        return parts, False

    def _answer(self, parts: Sequence[_Part]) -> None:
        try:
            found = self._explain(Windows.concatenate([p.windows for p in parts]))
        except Exception as error:
            if len(parts) == 1:
                parts[0].answer.set_exception(error)
                return
            for part in parts:  # whose windows it was is told by asking one by one
                self._answer([part])
            return
        edges = list(accumulate((len(p.windows) for p in parts), initial=0))
        self._told(len(parts), edges[-1])
        for part, (first, last) in zip(parts, pairwise(edges), strict=True):
            part.answer.set_result(_rows(found, slice(first, last)))


def _clock(windows: Windows) -> tuple[bool, ...]:
    """Which streams carry times of their own.

    Only those alike are joined: a regular stream beside one with times would get times as well,
    and rounding could then move a sample across the border of a bin.
    """
    return tuple(windows.samples[name].times is None for name in windows.schema.names)


def _rows(found: Prediction, rows: slice) -> Prediction:
    budgets = None if found.budgets is None else found.budgets[rows]
    return replace(
        found,
        logits=found.logits[rows],
        budgets=budgets,
        expert_share=None,
        tokens=None,
        temperature=None if found.temperature is None else found.temperature[rows],
    )
