"""Recordings with everything a store must keep, made from a seed, and how stores are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.windows import Windows

SCHEMA = Schema(
    [
        Modality("acc", 3, 32.0, "g", "wrist"),
        Modality("bvp", 1, 64.0, "", "wrist"),
        Modality("ecg", 2, 50.0, "mV", "chest"),
        Modality("eda", 1, 3.3, "uS", "wrist"),
        Modality("steps", 1),
        Modality("../odd name", 1, 1.0),
        Modality("age", 1, unit="years", static=True),
    ]
)


def make_recordings(
    seed: int, n: int = 4, seconds: float = 6.0, *, labelled: bool = True
) -> list[Recording]:
    """Recordings whose streams are on a lattice or not, timed or not, with gaps, or absent."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        length_s = float(rng.uniform(0.5, 1.5) * seconds)
        streams = {
            m.name: _stream(rng, m, length_s) for m in SCHEMA if rng.random() < 0.75 or number == 1
        }
        middle = float(rng.uniform(0.3, 0.7) * length_s)
        labels = (Interval(0.0, middle, "rest"), Interval(middle, length_s, "walk"))
        found.append(
            Recording(
                streams,
                subject=f"s{number // 2}",
                source=f"file {number}.csv",
                labels=labels if labelled and (number == 1 or rng.random() < 0.8) else (),
                duration_s=length_s,
                notes=("a note",) if number % 2 else (),
            )
        )
    return found


def _stream(rng: np.random.Generator, modality: Modality, length_s: float) -> Stream:
    if modality.static:
        return Stream.constant([float(rng.integers(20, 90))])
    rate = modality.rate_hz
    count = int(length_s * (rate or 5.0) * rng.uniform(0.0, 1.0) ** 0.2)
    shape = count, modality.channels
    kind = rng.integers(4)
    values = rng.normal(size=shape)
    if kind < 3:
        values = np.round(values * 500) * (1 / 64, 0.01, 3 / 65536)[kind] + (0, 50, 0)[kind]
    values = values.astype(np.float32)
    if rng.random() < 0.5:
        values[rng.random(shape) < 0.1] = np.nan
    if rng.random() < 0.4 and count:
        begin, end = np.sort(rng.integers(0, count + 1, 2))
        values[begin:end] = np.nan
    if rate is None or rng.random() < 0.25:
        times = np.sort(rng.uniform(0, length_s, count).round(2))
        return Stream(values, rate, times)
    return Stream(values, rate, start_s=float(rng.choice([0.0, 0.1, 0.37])))


def assert_equal_windows(found: Windows, wanted: Windows) -> None:
    """Bit for bit: fields, values, times."""
    assert found.schema == wanted.schema
    for field in ("start_s", "duration_s", "present", "subjects", "sources", "ids", "labels"):
        a, b = getattr(found, field), getattr(wanted, field)
        assert (a is None) == (b is None), field
        if a is not None:
            np.testing.assert_array_equal(a, b, err_msg=field)
            assert a.dtype == b.dtype, field
    np.testing.assert_array_equal(found.valid_counts(), wanted.valid_counts())
    for name in wanted.schema.names:
        for a, b in zip(found.samples[name].flat(), wanted.samples[name].flat(), strict=True):
            assert a.dtype == b.dtype, name
            assert a.shape == b.shape, name
            assert a.tobytes() == b.tobytes(), name
        for i in {0, len(wanted) // 2, len(wanted) - 1}:
            for a, b in zip(
                found.samples[name].window(i), wanted.samples[name].window(i), strict=True
            ):
                assert a.tobytes() == b.tobytes(), (name, i)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def digest(windows: Windows) -> list[bytes]:
    """All samples of all windows."""
    return [part.tobytes() for s in windows.samples.values() for part in s.flat()]
