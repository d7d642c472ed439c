"""What Prometheus is told, and the layer that counts requests."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maestro_ts.signals.windows import Windows

__all__ = ["Measured", "Metrics"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one service, in a registry of their own.

    ``accepted`` predictions are either ``answered`` or ``unanswered``; while the service runs,
    what is missing in this sum is being computed.
    """

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        ProcessCollector(registry=own)  # process_start_time_seconds tells a restart
        self.requests = Counter(
            "maestro_ts_requests", "Requests.", ["path", "status"], registry=own
        )
        self.seconds = Histogram(
            "maestro_ts_request_seconds",
            "From the request's head to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=own,
        )
        self.accepted = Counter(
            "maestro_ts_accepted", "Predictions whose body was read and understood.", registry=own
        )
        self.answered = Counter("maestro_ts_answered", "Predictions answered.", registry=own)
        self.unanswered = Counter(
            "maestro_ts_unanswered", "Accepted, not answered.", ["reason"], registry=own
        )
        self.windows = Counter("maestro_ts_windows", "Windows predicted.", registry=own)
        self.empty = Counter(
            "maestro_ts_windows_without_sensor", "Windows with nothing present.", registry=own
        )
        self.missing = Counter(
            "maestro_ts_windows_missing", "Windows without a modality.", ["modality"], registry=own
        )
        self.batch_windows = Histogram(
            "maestro_ts_batch_windows", "Windows in a batch.", buckets=SIZES, registry=own
        )
        self.batch_requests = Histogram(
            "maestro_ts_batch_requests", "Requests in a batch.", buckets=SIZES, registry=own
        )
        self.draining = Gauge(
            "maestro_ts_draining", "1: the service finishes and takes nothing new.", registry=own
        )
        self.inside = Gauge("maestro_ts_in_progress", "Predictions in progress.", registry=own)

    def batch(self, requests: int, windows: int) -> None:
        """One batch was computed."""
        self.batch_requests.observe(requests)
        self.batch_windows.observe(windows)

    def predicted(self, windows: Windows) -> None:
        """These windows were answered."""
        self.answered.inc()
        self.windows.inc(len(windows))
        self.empty.inc(int((~windows.present.any(axis=1)).sum()))
        absent = (~windows.present).sum(axis=0).tolist()
        for name, count in zip(windows.schema.names, absent, strict=True):
            self.missing.labels(name).inc(count)

    def text(self) -> bytes:
        """All of it, in Prometheus' format."""
        return generate_latest(self.registry)

    def summary(self) -> str:
        """One line for the log."""
        counts: dict[str, int] = {}
        for metric in self.registry.collect():
            for sample in metric.samples:
                counts[sample.name] = counts.get(sample.name, 0) + int(sample.value)
        return (
            f"{counts['maestro_ts_accepted_total']} predictions accepted, "
            f"{counts['maestro_ts_answered_total']} answered, "
            f"{counts.get('maestro_ts_unanswered_total', 0)} not."
        )


class Measured:
    """ASGI layer: counts requests by path and status, and their seconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Iterable[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Whatever else is asked for has one name: clients must not make labels.
        path = scope["path"] if scope["path"] in self._paths else "other"
        begun, status = time.perf_counter(), "500"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._metrics.requests.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - begun)
