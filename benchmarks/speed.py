"""Ours against the published formulation at its shape: ratios of processes that take turns.

``python benchmarks/speed.py [--threads 2] [--rounds 9] [--only NAME …] [--out FILE]``

Shape S is WESAD as published: 10 modalities of 128 tokens, width 64, 8 heads, 2 + 2 layers, 4
experts, dropout .1; 64 windows unless a row says otherwise. In every round each side has one turn
while the others are stopped; the ratio is of medians, its spread the quartiles of the rounds' own
ratios. The published formulation must reach the shares of the matrix peak that its original was
measured at (46, 33 and 12 of about 400 GFLOP/s), or a ratio to it does not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from published import Shape, multiply_accumulates
from sides import Side
from turns import Turns, ratio

PUBLISHED = "published"
# GFLOP/s that the original reached, and the peak of matrix products on the machine it ran on.
ORIGINAL = {"train": 46.0, "infer": 33.0, "one": 12.0}
ORIGINAL_PEAK = 400.0
TOKEN = {"model.absent": "token"}
HALF = {"model.precision": "bfloat16"}


def against_published(side: Side, question: str, rounds: int) -> dict[str, Any]:
    """Ours and theirs at the same batch."""
    theirs = replace(side, recipe="", settings={}, exported="")
    with Turns({"ours": side, PUBLISHED: theirs}) as turns:
        found = turns.rounds(question, rounds)
    row = compared(found["ours"], found[PUBLISHED], PUBLISHED)
    kind = "one" if side.batch == 1 else question
    work = 2 * multiply_accumulates(Shape()) * side.batch * (3 if question == "train" else 1)
    reached = work / row["reference_value"] / 1e9
    return row | {
        "reference_share_of_peak": round(reached / matrix_peak(), 3),
        "original_share_of_peak": round(ORIGINAL[kind] / ORIGINAL_PEAK, 3),
    }


def against(mine: Side, other: Side, name: str, question: str, rounds: int) -> dict[str, Any]:
    """Two of our sides; how many times less the first takes."""
    with Turns({"ours": mine, name: other}) as turns:
        found = turns.rounds(question, rounds)
    return compared(found["ours"], found[name], name)


def growth(side: Side, rounds: int) -> dict[str, Any]:
    """Time, memory and operations of windows eight times as long."""
    sides = {"ours": replace(side, tokens=8 * side.tokens), "128 tokens": side}
    with Turns(sides) as turns:  # first of all: what has run keeps its memory
        memory = {name: turns.ask(name, "memory") for name in sides}
    with Turns(sides) as turns:
        found = turns.rounds("train", rounds)
        macs = {name: turns.ask(name, "macs") for name in memory}
    row = compared(found["128 tokens"], found["ours"], "1024 tokens over 128")
    return row | {
        "macs_ratio": round(macs["ours"] / macs["128 tokens"], 2),
        "memory_ratio": round(memory["ours"] / memory["128 tokens"], 2),
    }


def longest(side: Side) -> dict[str, Any]:
    """Whether 10 × 8192 tokens train at batch 2, and in how much memory."""
    with Turns({"ours": replace(side, tokens=8192, batch=2)}) as turns:
        memory = turns.ask("ours", "memory")
        seconds = turns.ask("ours", "train")
    return {"ours_value": round(seconds, 2), "memory_gb": round(memory / 1e9, 2)}


def budgets(side: Side, rounds: int) -> dict[str, Any]:
    """Time and operations of a pass with the budget forced to 1 … 5, as shares of those at 5."""
    forced = {
        f"{b}": replace(side, settings=side.settings | {"budget.rule": "fixed", "budget.beta": b})
        for b in (1.0, 2.0, 3.0, 4.0, 5.0)
    }
    with Turns(forced) as turns:
        found = turns.rounds("infer", rounds)
        macs = {name: turns.ask(name, "macs") for name in forced}
    time_share = {n: float(np.median(v) / np.median(found["5.0"])) for n, v in found.items()}
    macs_share = {n: v / macs["5.0"] for n, v in macs.items()}
    worst = max(abs(time_share[n] / macs_share[n] - 1) for n in forced)
    return {
        "time_share": {n: round(v, 3) for n, v in time_share.items()},
        "macs_share": {n: round(v, 3) for n, v in macs_share.items()},
        "largest_deviation": round(worst, 3),
    }


def memory(side: Side) -> dict[str, Any]:
    """Resident memory that three training steps add at most."""
    with Turns({"ours": side, PUBLISHED: replace(side, recipe="", settings={})}) as turns:
        found = {name: turns.ask(name, "memory") for name in ("ours", PUBLISHED)}
    return {
        "ours_value": round(found["ours"] / 1e6),
        "reference": PUBLISHED,
        "reference_value": round(found[PUBLISHED] / 1e6),
        "ratio": round(found[PUBLISHED] / found["ours"], 2),
        "unit": "MB",
    }


def rows(threads: int, rounds: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """Every row of the table by its name."""
    paper = Side("paper", TOKEN, threads=threads)
    rounded = replace(paper, settings=TOKEN | HALF)
    default = Side("default", threads=threads)
    one = replace(paper, batch=1)
    dense = replace(paper, settings=TOKEN | {"model.attention": "dense", "budget.rule": "fixed"})

    def longer(side: Side) -> Side:
        return replace(side, tokens=1024, batch=8)

    return {
        "S training": lambda: against_published(paper, "train", rounds),
        "S training, bfloat16": lambda: against_published(rounded, "train", rounds),
        "S inference": lambda: against_published(paper, "infer", rounds),
        "S inference, bfloat16": lambda: against_published(rounded, "infer", rounds),
        "S inference, one window": lambda: against_published(one, "infer", 3 * rounds),
        "S inference, one window exported": lambda: against_published(
            replace(one, exported="float32"), "infer", 3 * rounds
        ),
        "S inference, one window exported, int8": lambda: against_published(
            replace(one, exported="int8"), "infer", 3 * rounds
        ),
        "default training": lambda: against_published(default, "train", rounds),
        "default inference": lambda: against_published(default, "infer", rounds),
        "default training, bfloat16": lambda: against_published(
            replace(default, settings=HALF), "train", rounds
        ),
        "default inference, bfloat16": lambda: against_published(
            replace(default, settings=HALF), "infer", rounds
        ),
        "S memory of training": lambda: memory(paper),
        "S memory of training, bfloat16": lambda: memory(rounded),
        "S training, half absent": lambda: against(
            replace(paper, absent=5), paper, "all there", "train", rounds
        ),
        "S inference, half absent": lambda: against(
            replace(paper, absent=5), paper, "all there", "infer", rounds
        ),
        "S training, all but one absent": lambda: against(
            replace(paper, absent=9), paper, "all there", "train", rounds
        ),
        "S inference, all but one absent": lambda: against(
            replace(paper, absent=9), paper, "all there", "infer", rounds
        ),
        "longer windows, batch 8": lambda: growth(replace(paper, batch=8), rounds),
        "8192 tokens, batch 2": lambda: longest(paper),
        "budget 1 to 5": lambda: budgets(paper, rounds),
        "dense, 128 tokens, training": lambda: against(paper, dense, "dense", "train", rounds),
        "dense, 128 tokens, inference": lambda: against(paper, dense, "dense", "infer", rounds),
        "dense, 1024 tokens, training": lambda: against(
            longer(paper), longer(dense), "dense", "train", rounds
        ),
        "dense, 1024 tokens, inference": lambda: against(
            longer(paper), longer(dense), "dense", "infer", rounds
        ),
    }


def compared(mine: np.ndarray, reference: np.ndarray, name: str) -> dict[str, Any]:
    """Medians of both sides in seconds, and how many times less the first takes."""
    value, spread = ratio(mine, reference)
    return {
        "ours_value": round(float(np.median(mine)), 5),
        "reference": name,
        "reference_value": round(float(np.median(reference)), 5),
        "ratio": round(value, 2),
        "spread": [round(q, 2) for q in spread],
        "unit": "s",
    }


def matrix_peak(rounds: int = 15) -> float:
    """GFLOP/s of float32 products, the better of a square one and one layer's."""
    best = 0.0
    for left, right in (((8192, 64), (64, 256)), ((1024, 1024), (1024, 1024))):
        a, b = torch.randn(*left), torch.randn(*right)
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            torch.mm(a, b)
            seconds.append(time.perf_counter() - began)
        best = max(best, 2 * left[0] * left[1] * right[1] / float(np.median(seconds)) / 1e9)
    return best


def main() -> None:
    """Print the table row by row, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of the rows' names")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    measured: dict[str, Any] = {}
    if given.out is not None and given.out.exists() and given.only:
        measured = {row["name"]: row for row in json.loads(given.out.read_text())["rows"]}
    for name, measure in rows(given.threads, given.rounds).items():
        if given.only and not name.startswith(tuple(given.only)):
            continue
        measured[name] = {"name": name, **measure()}
        print(f"{name:<36}", json.dumps({k: v for k, v in measured[name].items() if k != "name"}))
        if given.out is not None:
            told = {
                "version": __version__,
                "machine": f"{platform.machine()}, {given.threads} threads",
                "torch": torch.__version__,
                "rounds": given.rounds,
                "rows": list(measured.values()),
            }
            write_text(given.out, json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
