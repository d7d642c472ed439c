"""What a trained run costs: parameters, operations, time and memory. No data is needed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from maestro_ts._version import __version__
from maestro_ts.estimator import load
from maestro_ts.evaluation.cost import count_components, count_parameters
from maestro_ts.evaluation.pattern_cost import (
    MissingCost,
    ModalityCost,
    count_patterns,
    counted_patterns,
)
from maestro_ts.experiments.drawn_windows import drawn_batches, drawn_windows
from maestro_ts.experiments.pass_memory import pass_memory
from maestro_ts.training.precision import in_precision

__all__ = ["PassCost", "RunCost", "Timing", "run_cost", "timed"]

ROUND_S = 0.1  # a round repeats a short call for so long


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median and quartiles over the rounds."""

    median_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True)
class PassCost:
    """One batch of `windows` windows on the CPU.

    Attributes
    ----------
    windows : int
    front_end, network : Timing
        Windows → batch, and batch → logits.
    added_bytes : int or None
        Largest growth of the resident memory of a process by passes of the network.
    """

    windows: int
    front_end: Timing
    network: Timing
    added_bytes: int | None


@dataclass(frozen=True)
class RunCost:
    """Costs of a run; multiply-accumulates are of one window.

    Attributes
    ----------
    run : str
    parameters : int
    macs : int
        With every modality present.
    components : dict of str to int
        The same by component, in the order of the pass.
    by_missing : list of MissingCost
    by_modality : list of ModalityCost
    passes : list of PassCost
    resident_bytes : int or None
        Of the process with program and model loaded, before a pass.
    threads, rounds : int
    versions : dict of str to str
    """

    run: str
    parameters: int
    macs: int
    components: dict[str, int]
    by_missing: list[MissingCost]
    by_modality: list[ModalityCost]
    passes: list[PassCost]
    resident_bytes: int | None
    threads: int
    rounds: int
    versions: dict[str, str]


def run_cost(folder: Path, *, batch: int = 64, rounds: int = 5) -> RunCost:
    """Measure a finished run on drawn windows of its length.

    Parameters
    ----------
    folder : Path
        Run folder.
    batch : int
        Windows of the larger of the two batches whose time and memory are measured.
    rounds : int
        Of each timing.

    Raises
    ------
    RunError
        No such run, an unfinished or damaged one, or too little memory for the batch.
    """
    clf = load(folder)
    front_end, network, names = clf.front_end_, clf.network_, clf.schema_.names
    batch_of = drawn_batches(front_end, clf.duration_, 1)
    patterns = count_patterns(network, names, batch_of, counted_patterns(names))
    sizes, threads = sorted({1, batch}), torch.get_num_threads()
    memory = pass_memory(folder, sizes, threads)
    passes = []
    for n, added in zip(sizes, memory.added_bytes, strict=True):
        windows = drawn_windows(clf.schema_, clf.duration_, n)
        given = drawn_batches(front_end, clf.duration_, n)(names)
        with torch.no_grad():
            symbols = timed(partial(front_end, windows), rounds)
            run = in_precision(network, clf.recipe_.model.precision)
            logits = timed(partial(run, given), rounds)
        passes.append(PassCost(n, symbols, logits, added))
    return RunCost(
        run=str(folder),
        parameters=count_parameters(network),
        macs=patterns.full,
        components=count_components(network, batch_of(names)),
        by_missing=patterns.by_missing(),
        by_modality=patterns.by_modality(),
        passes=passes,
        resident_bytes=memory.resident_bytes,
        threads=threads,
        rounds=rounds,
        versions={"maestro-ts": __version__, "torch": torch.__version__},
    )


def timed(call: Callable[[], object], rounds: int) -> Timing:
    """Time a call that has run before: every round is the mean of as many as fill its time."""
    call()
    start = time.perf_counter()
    call()
    repeats = max(1, math.ceil(ROUND_S / max(time.perf_counter() - start, 1e-9)))
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        seconds.append((time.perf_counter() - start) / repeats)
    low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    return Timing(float(median), float(low), float(high))
