"""Sensors of every kind and recordings of them, for the tests of live streams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.window_spec import WindowSpec

SENSORS = Schema(
    [
        Modality("acc", channels=3, rate_hz=32.0, device="wrist"),
        Modality("age", static=True),
        Modality("ecg", channels=2, rate_hz=50.0, device="chest"),
        Modality("eda", rate_hz=4.0, device="wrist"),
        Modality("steps", device="phone"),
    ]
)
SPEC = WindowSpec(duration_s=8.0, step_s=2.0)


def recording(seed: int, duration_s: float = 40.0, *, labelled: bool = False) -> Recording:
    """All sensors; single samples are lost, and two stretches of several seconds."""
    rng = np.random.default_rng(seed)
    streams = {}
    for k, m in enumerate(SENSORS):
        if m.static:
            streams[m.name] = Stream.constant([20.0 + seed])
        elif m.rate_hz:
            values = rng.normal(3, 2, (int(duration_s * m.rate_hz), m.channels))
            values[rng.random(values.shape) < 0.02] = np.nan
            lost_s = 10 + 2 * k
            values[int(lost_s * m.rate_hz) : int((lost_s + 9.3) * m.rate_hz)] = np.nan
            streams[m.name] = Stream(values.astype(np.float32), m.rate_hz)
        else:
            times = np.sort(rng.uniform(0, duration_s, int(3 * duration_s)))
            streams[m.name] = Stream(rng.exponential(1.0, (len(times), 1)), times=times)
    labels = (Interval(0, duration_s / 2, "rest"), Interval(duration_s / 2, duration_s, "walk"))
    return Recording(
        streams,
        subject=f"s{seed}",
        source=f"r{seed}",
        labels=labels if labelled else (),
        duration_s=duration_s,
    )


def without(taken: Recording, *names: str) -> Recording:
    """The recording without some of its streams."""
    return replace(taken, streams={n: s for n, s in taken.streams.items() if n not in names})
