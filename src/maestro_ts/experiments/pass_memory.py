"""Memory that a pass needs, in a process that does nothing else.

``python -m maestro_ts.experiments.pass_memory RUN THREADS WINDOWS@RATE [WINDOWS@RATE …]`` prints
JSON. In a process that has done other work a pass would find memory that is free again, and seem to
need none.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import maestro_ts
from maestro_ts.contract.batch import Batch
from maestro_ts.errors import RunError
from maestro_ts.estimator import load
from maestro_ts.estimator_base import MaestroEstimator
from maestro_ts.experiments.drawn_windows import drawn_batches, drawn_windows
from maestro_ts.signals.masks import hide, modality_mask
from maestro_ts.training.precision import in_precision

__all__ = ["PassMemory", "pass_memory"]

PASSES = 2  # the first one may leave memory behind that the second needs too
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class PassMemory:
    """Bytes that are resident with the program and the model loaded, and what passes add at most.

    None where the system does not tell.
    """

    resident_bytes: int | None
    added_bytes: list[int | None]


def pass_memory(
    folder: Path, sizes: Sequence[int], threads: int, rates: Sequence[float] | None = None
) -> PassMemory:
    """Run passes over batches of these sizes, in rising order, in a process of their own.

    Parameters
    ----------
    folder : Path
        Run folder.
    sizes : sequence of int
        Windows of each batch.
    threads : int
    rates : sequence of float, optional
        Share of the modalities that each batch lacks, drawn for each window; else none.

    Raises
    ------
    RunError
        That process failed.
    """
    module = "maestro_ts.experiments.pass_memory"
    batches = [f"{n}@{r}" for n, r in zip(sizes, rates or [0.0] * len(sizes), strict=True)]
    words = [sys.executable, "-m", module, str(folder), str(threads), *batches]
    paths = [str(Path(maestro_ts.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RunError(
            f"a pass over {sizes[-1]} windows ended with code {done.returncode}: {last}",
            where=str(folder),
            fix="Give a smaller --batch.",
        )
    return PassMemory(**json.loads(done.stdout))


def measured(folder: Path, passes: Sequence[tuple[int, float]], threads: int) -> PassMemory:
    """The same in this process, which must be a fresh one: batches of so many windows and rates."""
    torch.set_num_threads(threads)
    clf = load(folder)
    batches = [_batch(clf, n, rate) for n, rate in passes]
    forget()
    loaded = first = resident()
    added = []
    with torch.no_grad():
        run = in_precision(clf.network_, clf.recipe_.model.precision)
        for i, batch in enumerate(batches):
            if i and passes[i][0] <= passes[i - 1][0]:  # it may need less than the one before
                forget()
                loaded = resident()
            for _ in range(PASSES):
                run(batch)
            peak = resident(peak=True)
            added.append(None if peak is None or loaded is None else max(0, peak - loaded))
    return PassMemory(first, added)


def _batch(clf: MaestroEstimator, n: int, rate: float) -> Batch:
    if not rate:
        return drawn_batches(clf.front_end_, clf.duration_, n)(clf.schema_.names)
    windows = drawn_windows(clf.schema_, clf.duration_, n)
    batch: Batch = clf.front_end_(hide(windows, modality_mask(windows, rate)))
    return batch


def forget() -> None:
    """Give free memory back to the system and let the peak begin anew, where that is possible."""
    gc.collect()
    with suppress(OSError, AttributeError):  # not the C library of GNU
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):  # not Linux
        Path("/proc/self/clear_refs").write_text("5")


def resident(*, peak: bool = False) -> int | None:
    """Bytes of this process in memory, now or at most; elsewhere than on Linux always at most."""
    if STATUS.exists():
        lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return int(lines["VmHWM" if peak else "VmRSS"].split()[0]) * 1024
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    run, count, *windows = sys.argv[1:]
    asked = [(int(n), float(r)) for n, _, r in (word.partition("@") for word in windows)]
    found = measured(Path(run), asked, int(count))
    sys.stdout.write(json.dumps(asdict(found)))
