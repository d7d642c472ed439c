"""An hour of ten sensors at 700 Hz through a live stream, as fast as it goes.

    python benchmarks/stream_soak.py                    # one hour of data
    python benchmarks/stream_soak.py --minutes 5 --anew # no bin is kept from window to window

Sensors are switched off and on, chunks come in any order, one in a thousand long after its window.
Prints time, latency of an answer (from the push that made it due), memory every two minutes of
data, and what became of all samples.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_source import Chunk
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.signals.windows import Windows

RATE_HZ = 700
SENSORS = Schema([Modality(f"sensor{k}", rate_hz=RATE_HZ) for k in range(10)])
CHUNK_S = 0.25
OFF_EVERY_S, OFF_S = 300, 45  # one sensor after another
LATE_EVERY = 1000  # chunks, of which one comes long after its window


def model(window_s: float) -> MaestroClassifier:
    """The default recipe; hardly trained, which changes no time."""
    rng = np.random.default_rng(0)
    X = {m.name: rng.normal(size=(8, int(window_s * RATE_HZ))).astype(np.float32) for m in SENSORS}
    windows = Windows.from_arrays(X, SENSORS, labels=["a", "b"] * 4, subjects=list("ssssuuuu"))
    settings = {"training.epochs": 1, "training.min_steps": 1, "augmentation.max_windows": 0}
    return MaestroClassifier(settings=settings, random_state=0).fit(windows)


def chunks(minutes: float, rng: np.random.Generator) -> Iterator[Chunk]:
    """All sensors' samples, a quarter of a second at a time, in an order drawn anew each time."""
    size = int(CHUNK_S * RATE_HZ)
    noise = rng.normal(size=(997, size, 1)).astype(np.float32)
    held: list[Chunk] = []
    for step in range(int(minutes * 60 / CHUNK_S)):
        begin_s = step * CHUNK_S
        off, since_s = divmod(begin_s, OFF_EVERY_S)
        for k in rng.permutation(len(SENSORS)):
            if k == int(off) % len(SENSORS) and since_s < OFF_S:
                continue
            times = (step * size + np.arange(size)) / RATE_HZ
            chunk = Chunk(SENSORS.names[k], times, noise[(step * 31 + k * 7) % len(noise)])
            if rng.integers(LATE_EVERY):
                yield chunk
            else:
                held.append(chunk)
        if step % 400 == 399:
            yield from held
            held.clear()


def memory_mb() -> float:
    """What the process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--window-s", type=float, default=32.0)
    parser.add_argument("--stride-s", type=float, default=1.0)
    parser.add_argument("--anew", action="store_true", help="Keep no bins.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    clf = model(given.window_s)
    stream = StreamClassifier(
        clf, given.stride_s, windows=WindowSpec(given.window_s), start_s=0.0, timeout_s=2.0
    )
    if given.anew:
        stream._model.front_end_ = clf.front_end_
    latencies, costs, missing, told_s = [], [], 0, 0.0
    begun, worked = time.perf_counter(), time.process_time()
    for chunk in chunks(given.minutes, np.random.default_rng(1)):
        before, idle = time.perf_counter(), time.process_time()
        found = stream.push(chunk.modality, chunk.times, chunk.values)
        if found:
            latencies += [(time.perf_counter() - before) / len(found)] * len(found)
            costs += [(time.process_time() - idle) / len(found)] * len(found)
            missing += sum(not all(r.present.values()) for r in found)
        if chunk.times[0] >= told_s:  # of data
            print(f"{told_s / 60:4.0f} min  {memory_mb():7.1f} MB", flush=True)
            told_s += 120
    spent, worked = time.perf_counter() - begun, time.process_time() - worked
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    core = np.percentile(costs, [50, 99]) * 1000
    metrics = stream.metrics()
    counts = metrics.sensors.values()
    print(
        f"{given.minutes:g} min of data in {spent:.1f} s ({worked:.1f} s of a core): "
        f"{60 * given.minutes / spent:.0f} times real time; {metrics.windows} windows, "
        f"{missing} with a sensor missing as a whole; "
        f"an answer takes {p50:.1f} ms (median), {p99:.1f} ms (99 %), "
        f"of a core {core[0]:.1f} and {core[1]:.1f} ms; {memory_mb():.1f} MB\n"
        f"samples: {sum(c.accepted for c in counts)} accepted, {sum(c.late for c in counts)} late, "
        f"{sum(c.dropped for c in counts)} dropped, {sum(c.rejected for c in counts)} rejected"
    )


if __name__ == "__main__":
    main()
