"""The window store on a study of WESAD's size: memory to prepare it, windows a second to read it.

``python benchmarks/store.py --out FOLDER [--recordings 15] [--minutes 100]``

(a) Prepares recordings of 10 streams (chest at 700 Hz, wrist at 64, 32 and 4 Hz) that are made one
at a time, 2.1 GB as float32 at full size, and watches the memory of this process and its children.
(b) Reads windows of 8 s, 46,144 values each, from the warm store: at random one by one, and in
sequence 64 at a time. Recordings and the store they make are removed at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.rows import read_rows
from maestro_ts.signals.store import open_windows, prepare
from maestro_ts.signals.windows import Windows

CHEST = (("acc", 3), ("ecg", 1), ("eda", 1), ("emg", 1), ("resp", 1), ("temp", 1))
WRIST = (("acc", 3, 32.0), ("bvp", 1, 64.0), ("eda", 1, 4.0), ("temp", 1, 4.0))
SCHEMA = Schema(
    [Modality(f"chest_{n}", c, 700.0, device="chest") for n, c in CHEST]
    + [Modality(f"wrist_{n}", c, r, device="wrist") for n, c, r in WRIST]
)
WINDOW_S, VALUES = 8.0, 46_144
BLOCK = 64
QUANTUM = 3 / 65536  # a converter of 16 bits over 3 V


def recording(number: int, minutes: float) -> Recording:
    """One subject: random walks of whole steps, as a converter gives them."""
    rng = np.random.default_rng(number)
    streams = {}
    for m in SCHEMA:
        count = round(minutes * 60 * (m.rate_hz or 1.0))
        steps = rng.integers(-40, 41, (count, m.channels), dtype=np.int32)
        np.cumsum(steps, axis=0, out=steps)
        np.abs(steps, out=steps)
        values = (steps % 60_000 - 30_000).astype(np.float32)
        # Through float64, as a reader does that scales a converter's numbers.
        streams[m.name] = Stream((values * np.float64(QUANTUM)).astype(np.float32), m.rate_hz)
    labels = tuple(
        Interval(k * 600.0, min((k + 1) * 600.0, minutes * 60), f"state {k % 3}")
        for k in range(int(np.ceil(minutes / 10)))
    )
    return Recording(streams, subject=f"S{number}", source=f"S{number}", labels=labels)


def recordings(count: int, minutes: float) -> Iterator[Recording]:
    """All subjects, one at a time."""
    for number in range(count):
        yield recording(number, minutes)


@contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """Largest sum of resident memory of this process and its descendants, in MB, by /proc."""
    found = {"peak_mb": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            found["peak_mb"] = max(found["peak_mb"], resident_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def resident_mb() -> float:
    """Resident memory of this process and its descendants."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:  # it has ended
            continue
        row = dict(line.split(":", 1) for line in lines if ":" in line)
        parents[int(folder.name)] = int(row["PPid"])
        sizes[int(folder.name)] = int(row.get("VmRSS", "0 kB").split()[0])
    family = {int(Path("/proc/self").resolve().name)}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return sum(sizes.get(pid, 0) for pid in family) / 1000
        family |= more


def rate(read: Callable[[int], int], seconds: float) -> tuple[float, float]:
    """Windows a second of wall time, and of CPU time: on a busy machine the second is firmer."""
    began, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        done += read(done)
    return done / (time.perf_counter() - began), done / (time.process_time() - cpu)


def random_access(windows: Windows, seconds: float, *, times: bool) -> tuple[float, float]:
    """One window at a time, at random: values of all modalities, with their times or without."""
    order = np.random.default_rng(0).permutation(len(windows))

    def read(done: int) -> int:
        row = order[done % len(order)]
        for samples in windows.samples.values():
            if times:
                samples.window(row)
            else:
                read_rows(
                    samples.values, samples.starts[row : row + 1], samples.lengths[row : row + 1]
                )
        return 1

    return rate(read, seconds)


def sequential(windows: Windows, seconds: float) -> tuple[float, float]:
    """In order, `BLOCK` windows at a time: values of all modalities."""

    def read(done: int) -> int:
        first = done % (len(windows) - BLOCK + 1)
        block = windows[first : first + BLOCK]
        for samples in block.samples.values():
            samples.read()
        return BLOCK

    return rate(read, seconds)


def main() -> None:
    """Run both parts and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the store")
    parser.add_argument("--recordings", type=int, default=15)
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each reading")
    given = parser.parse_args()
    if not Path("/proc/self/status").exists():
        sys.exit("memory is read from /proc, which this system lacks")
    store = given.out / "store"
    idle_mb = resident_mb()
    began = time.perf_counter()
    with peak_memory() as memory:
        prepare(recordings(given.recordings, given.minutes), SCHEMA, WindowSpec(WINDOW_S), store)
    prepared_s = time.perf_counter() - began
    windows = open_windows(store)
    values = sum(windows.samples[n].window(0)[0].size for n in SCHEMA.names)
    assert values == VALUES, values
    size = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
    for samples in windows.samples.values():  # warm: every page once
        for part in samples.chunks():
            samples.take(np.arange(part.start, part.stop)).read()
    figures = {
        "recordings": given.recordings,
        "minutes": given.minutes,
        "windows": len(windows),
        "float32_mb": sum(len(s.values) * s.values.shape[1] for s in windows.samples.values())
        * 4
        / 1e6,
        "store_mb": size / 1e6,
        "idle_mb": idle_mb,
        "peak_mb": memory["peak_mb"],
        "prepared_s": prepared_s,
    }
    for name, found in (
        ("random", random_access(windows, given.seconds, times=False)),
        ("random_with_times", random_access(windows, given.seconds, times=True)),
        ("sequential", sequential(windows, given.seconds)),
    ):
        figures[f"{name}_windows_per_s"], figures[f"{name}_windows_per_cpu_s"] = found
    print(json.dumps({k: round(v, 1) for k, v in figures.items()}, indent=1))
    shutil.rmtree(store)


if __name__ == "__main__":
    main()
