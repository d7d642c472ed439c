"""Load on `maestro-ts serve` over loopback: throughput, latency, and what a restart loses.

``python benchmarks/service_load.py runs/demo --out docs/results/service.json``

Clients send one window each, of drawn samples and with drawn sensors missing, over connections
that stay open, and ask again after a 503, a refusal or a broken connection. Three phases: steady;
SIGTERM in the middle; SIGKILL in the middle. The service is started again on the same port each
time. It shares the machine's processors with the clients.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

BODIES = 64
PATIENCE_S = 120.0  # until a request is given up: lost
COUNTED = re.compile(
    r"^((?:maestro_ts|process)_\w+_total|maestro_ts_batch_\w+_(?:sum|count)"
    r"|process_start_time_seconds) (\S+)$",
    re.M,
)


class Service:
    """The command as a process, on a port that stays the same."""

    def __init__(self, run: Path) -> None:
        self.run, self.port = run, 0
        self.begin()

    def begin(self) -> None:
        """Start it, and wait until it takes requests."""
        command = [sys.executable, "-c", "from maestro_ts.cli.main import main; main()"]
        self.process = subprocess.Popen(
            [*command, "serve", str(self.run), "--port", str(self.port), "--max-concurrent", "64"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        self.port = int(told.rstrip().rstrip("/").rsplit(":", 1)[1])

    def end(self, kind: signal.Signals) -> str:
        """Its last line; "" after SIGKILL."""
        self.process.send_signal(kind)
        said, _ = self.process.communicate(timeout=60)
        return said.strip()

    def get(self, path: str) -> str:
        """The body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def counters(self) -> dict[str, float]:
        """What `/metrics` counts without labels."""
        return {name: float(value) for name, value in COUNTED.findall(self.get("/metrics"))}


def bodies_of(model: dict[str, Any]) -> list[bytes]:
    """One window each; every sensor is left out now and then, one at least is there."""
    rng = np.random.default_rng(0)
    seconds = model["windows"]["duration_s"]
    regular = [m for m in model["modalities"] if m["rate_hz"]]
    found = []
    for _ in range(BODIES):
        there = [m for m in regular if rng.random() > 0.3] or regular[:1]
        streams = {}
        for m in there:
            values = rng.normal(size=(round(seconds * m["rate_hz"]), m["channels"]))
            streams[m["name"]] = {"rate_hz": m["rate_hz"], "values": values.round(4).tolist()}
        found.append(json.dumps({"recordings": [{"streams": streams}]}).encode())
    return found


@dataclass
class Load:
    """Clients, and what became of their requests."""

    port: int
    bodies: list[bytes]
    seconds: list[float] = field(default_factory=list)
    retries: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, clients: int) -> list[threading.Thread]:
        """Start the clients; they end after `over`."""
        threads = [threading.Thread(target=self._client, args=(i,)) for i in range(clients)]
        for thread in threads:
            thread.start()
        return threads

    def _client(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        at = number
        while not self.over.is_set():
            begun = time.perf_counter()
            while True:
                said = self._ask(connection, self.bodies[at % len(self.bodies)])
                if said == "200":
                    self.seconds.append(time.perf_counter() - begun)
                    break
                self.retries[said] = self.retries.get(said, 0) + 1
                if time.perf_counter() - begun > PATIENCE_S:
                    self.lost += 1
                    break
                time.sleep(0.1)
            at += 1

    def _ask(self, connection: http.client.HTTPConnection, body: bytes) -> str:
        try:
            connection.request("POST", "/v1/predict", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (http.client.HTTPException, OSError) as error:
            connection.close()  # opened again by the next request
            return type(error).__name__
        if answer.status == 200:
            assert len(told["recordings"][0]["windows"]) == 1
        return str(answer.status)

    def report(self, took_s: float) -> dict[str, Any]:
        """What they saw."""
        p50, p99 = np.percentile(self.seconds, [50, 99]) * 1000
        return {
            "requests": len(self.seconds),
            "per_second": round(len(self.seconds) / took_s, 1),
            "median_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "lost": self.lost,
            "retries": self.retries,
        }


def phase(service: Service, bodies: list[bytes], clients: int, seconds: float, kind: str) -> Any:
    """One phase; in the middle of one with a signal the service is ended and begun again."""
    load, begun = Load(service.port, bodies), time.perf_counter()
    threads = load.run(clients)
    found: dict[str, Any] = {}
    if kind != "steady":
        time.sleep(seconds / 2)
        found["end"] = service.end(signal.Signals[kind])
        down = time.perf_counter()
        service.begin()
        found["down_s"] = round(time.perf_counter() - down, 2)
        time.sleep(seconds / 2)
    else:
        time.sleep(seconds)
    load.over.set()
    for thread in threads:
        thread.join()
    found |= load.report(time.perf_counter() - begun)
    return found | {"counters_of_the_last_process": service.counters()}


def main() -> None:
    """All phases, as lines and as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each phase")
    given = parser.parse_args()
    service = Service(given.run)
    results: dict[str, Any] = {"clients": given.clients, "processors": os.cpu_count()}
    try:
        bodies = bodies_of(json.loads(service.get("/v1/model")))
        results["body_kb"] = round(sum(map(len, bodies)) / len(bodies) / 1000, 1)
        for kind in ("steady", "SIGTERM", "SIGKILL"):
            results[kind] = phase(service, bodies, given.clients, given.seconds, kind)
            print(kind, json.dumps(results[kind]))
    finally:
        service.end(signal.SIGTERM)
    if given.out is not None:
        given.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
