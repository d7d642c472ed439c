"""How time and memory grow with tokens, modalities, batch and the modalities that are present.

``python benchmarks/growth.py [--threads 2] [--rounds 3] [--again] [--out FILE]``

Four sweeps around shape S (``speed.py``). At each of their points three sides take turns: ours
(recipe ``paper``), the same with dense attention, the published formulation. Each is a process of
its own and is asked first for the memory that three training steps add, because what has run keeps
its memory, then for training steps and inference passes. FILE is written after every point; what it
holds of the same threads, rounds and torch is not measured again without ``--again``.
``growth_figure.py`` draws it.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from sides import Side
from turns import Turns

OUT = Path(__file__).parents[1] / "docs/results/growth.json"
MEMORY_LIMIT_MB = 6000.0
TOKEN = {"model.absent": "token"}
SIDES = {
    "ours": Side("paper", TOKEN),
    "dense": Side("paper", TOKEN | {"model.attention": "dense", "budget.rule": "fixed"}),
    "published": Side(),
}


@dataclass(frozen=True)
class Size:
    """What the sides of one point compute on; the names are those of `Side`."""

    tokens: int = 128
    modalities: int = 10
    batch: int = 64
    absent: int = 0


@dataclass(frozen=True)
class Sweep:
    """Points along one axis.

    Attributes
    ----------
    sizes : list of Size
        From the smallest to the largest.
    x : callable
        Where a size lies on the axis.
    """

    sizes: list[Size]
    x: Callable[[Size], float]


SWEEPS = {
    "tokens": Sweep(
        [Size(tokens=n, batch=8) for n in (32, 64, 128, 256, 512, 1024)], lambda s: s.tokens
    ),
    "modalities": Sweep(
        [Size(modalities=n, batch=16) for n in (1, 2, 5, 10, 20)], lambda s: s.modalities
    ),
    "batch": Sweep([Size(batch=n) for n in (1, 4, 16, 64, 128)], lambda s: s.batch),
    "present": Sweep(
        [Size(absent=n) for n in (9, 8, 7, 5, 3, 0)], lambda s: 1 - s.absent / s.modalities
    ),
}
Point = dict[str, Any]
Points = dict[tuple[Size, str], Point]


def measure(sides: dict[str, Side], rounds: int) -> dict[str, Point]:
    """Seconds of steps and passes, and megabytes, of sides that take turns."""
    with Turns(sides) as turns:
        memory = {name: turns.ask(name, "memory") for name in sides}
        steps = turns.rounds("train", rounds, warm=1)
        passes = turns.rounds("infer", rounds, warm=1)
    return {
        name: {
            "train_s": _quartiles(steps[name]),
            "infer_s": _quartiles(passes[name]),
            "memory_mb": round(memory[name] / 1e6, 1),
        }
        for name in sides
    }


def _quartiles(seconds: NDArray[np.float64]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return [round(float(q), 5) for q in np.quantile(seconds, (0.25, 0.5, 0.75))]


def why_not(sweep: Sweep, size: Size, name: str, points: Points) -> str:
    """Why a side is not measured there; empty: it is.

    Its memory is expected to grow on as between the two points before.
    """
    before = sweep.sizes[: sweep.sizes.index(size)]
    found = [points[s, name] for s in before]
    if any("skipped" in point for point in found):
        return "a smaller one was skipped"
    if len(found) < 2:
        return ""
    earlier, last = found[-2]["memory_mb"], found[-1]["memory_mb"]
    x_earlier, x_last, x = (sweep.x(s) for s in (*before[-2:], size))
    power = math.log(last / earlier) / math.log(x_last / x_earlier)
    expected = last * (x / x_last) ** power
    if expected <= MEMORY_LIMIT_MB:
        return ""
    return f"{expected:.0f} MB expected from the two before, limit {MEMORY_LIMIT_MB:.0f}"


def fill(points: Points, ask: Callable[[dict[str, Side]], dict[str, Point]]) -> Iterator[Size]:
    """Add the points that are missing; yields where it has added some.

    Parameters
    ----------
    points : dict
        What is there already.
    ask : callable
        Sides of one size by name → what was measured of each.
    """
    for sweep in SWEEPS.values():
        for size in sweep.sizes:
            missing = [name for name in SIDES if (size, name) not in points]
            skipped = {name: why_not(sweep, size, name, points) for name in missing}
            points.update({(size, n): {"skipped": why} for n, why in skipped.items() if why})
            sides = {n: replace(SIDES[n], **vars(size)) for n, why in skipped.items() if not why}
            if sides:
                points.update({(size, name): point for name, point in ask(sides).items()})
            if missing:
                yield size


def load(path: Path, told: dict[str, Any]) -> Points:
    """Points of an earlier run that was made in the same way."""
    if not path.exists():
        return {}
    earlier = json.loads(path.read_text())
    if any(earlier[name] != value for name, value in told.items()):
        return {}
    return points_of(earlier)


def points_of(told: dict[str, Any]) -> Points:
    """The points in what a run has written."""
    # What is left of a row is its point.
    rows = [dict(row) for row in told["points"]]
    return {(Size(**row.pop("size")), row.pop("side")): row for row in rows}


def main() -> None:
    """Measure what is missing, and say it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    told = {
        "version": __version__,
        "machine": f"{platform.machine()}, {given.threads} threads",
        "torch": torch.__version__,
        "rounds": given.rounds,
    }
    points = {} if given.again else load(given.out, told)

    def ask(sides: dict[str, Side]) -> dict[str, Point]:
        return measure(
            {name: replace(side, threads=given.threads) for name, side in sides.items()},
            given.rounds,
        )

    for size in fill(points, ask):
        print(
            size,
            *(f"  {name:<10}{json.dumps(points[size, name])}" for name in SIDES),
            sep="\n",
            flush=True,
        )
        rows = [{"size": vars(s), "side": name, **p} for (s, name), p in points.items()]
        write_text(given.out, json.dumps(told | {"points": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
