"""`Predicting`: a request's way from its body to its answer, within its limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from maestro_ts.deploy.service.answers import Show, answer
from maestro_ts.deploy.service.batching import MOST, Batcher
from maestro_ts.deploy.service.bodies import Asked, read_body
from maestro_ts.deploy.service.limits import Gate, Limits, limited_body
from maestro_ts.deploy.service.metrics import Metrics
from maestro_ts.deploy.service.problem import Problem
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.signals.windows import Windows

__all__ = ["Predicting"]

T = TypeVar("T")


@dataclass
class _Stage:
    """How far a request has come."""

    received: bool = False
    accepted: bool = False
    answered: bool = False
    failed: str = ""


class Predicting:
    """The state of a service: its run, the thread of the model, the gate and the counters.

    Parameters
    ----------
    run : ServedRun
    limits : Limits
    """

    def __init__(self, run: ServedRun, limits: Limits) -> None:
        self.run, self.limits = run, limits
        self.metrics, self.gate = Metrics(), Gate(limits.max_concurrent)
        self.metrics.inside.set_function(lambda: self.gate.inside)
        self.metrics.draining.set_function(lambda: self.gate.draining)
        self._batcher = Batcher(run.model.explain, self.metrics.batch)
        # One thread: a body takes many times its size while it is read.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="bodies")

    def close(self) -> None:
        """Finish what was accepted."""
        self._batcher.close()
        self._reader.shutdown()

    async def predict(
        self,
        chunks: AsyncIterator[bytes],
        length: str | None,
        media_type: str,
        off: Collection[str],
        show: Collection[Show],
    ) -> bytes:
        """The answer as JSON.

        Parameters
        ----------
        chunks : the body
        length : header Content-Length
        media_type : header Content-Type
        off, show : from the query

        Raises
        ------
        Problem, MaestroError
        """
        with self.gate.entered():
            stage = _Stage()
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    return await self._predict(stage, chunks, length, media_type, off, show)
            except TimeoutError:
                allowed = f"within {self.limits.timeout_s:g} s."
                if not stage.received:
                    raise Problem(408, f"the body was not there {allowed}", "body") from None
                raise Problem(
                    504, f"no answer {allowed}", fix="Send shorter recordings, or ask later."
                ) from None
            except BaseException as error:
                stage.failed = type(error).__name__
                raise
            finally:
                if stage.accepted and not stage.answered:
                    reason = stage.failed or "timeout"
                    self.metrics.unanswered.labels(reason).inc()

    async def _predict(
        self,
        stage: _Stage,
        chunks: AsyncIterator[bytes],
        length: str | None,
        media_type: str,
        off: Collection[str],
        show: Collection[Show],
    ) -> bytes:
        body = await limited_body(chunks, length, self.limits.max_body_mb)
        stage.received = True
        asked, windows = await self._aside(lambda: self._read(body, media_type, off))
        stage.accepted = True
        self.metrics.accepted.inc()
        found = []
        # One part after the other: a long recording does not keep the others waiting.
        for first in range(0, len(windows), MOST):
            part = self._batcher.submit(windows[first : first + MOST])
            found.append(await asyncio.wrap_future(part))
        said = await self._aside(lambda: _json(answer(self.run, asked, windows, found, show)))
        stage.answered = True
        self.metrics.predicted(windows)
        return said

    def _read(self, body: bytes, media_type: str, off: Collection[str]) -> tuple[Asked, Windows]:
        asked = read_body(body, media_type, self.run.inputs)
        return asked, self.run.windows(asked.recordings, {*off, *asked.off})

    async def _aside(self, work: Callable[[], T]) -> T:
        """Work in the thread that reads and writes bodies; the loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, allow_nan=False, separators=(",", ":")).encode()
