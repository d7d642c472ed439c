"""Symbols against a plain loop, pyts and aeon, and against copying the samples.

``python benchmarks/symbols.py [--rivals PYTHON] [--rounds 15] [--out FILE]``

64 windows of 14 channels and 128 words: of 256 samples (8 s at 32 Hz, two a word, as published) and
of 5,600 (8 s at 700 Hz). Sides take turns round by round. Ours is ``front_end.prepare(windows)``,
all that a user waits for: moments, symbols, presence. `PYTHON` is the interpreter of an environment
with pyts and aeon, which run there in processes of their own and time themselves.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.contract.registry import build_front_end
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from published import symbols_by_loop
from sax_rivals import ALPHABET, CHANNELS, RIVALS, WINDOWS, WORDS
from turns import ratio

WINDOW_S = 8.0
LENGTHS = (256, 5600)
VIEWS = {"shape view": ("shape",), "three views": ("shape", "level", "spread")}


class Rival:
    """A package in a process of another environment."""

    def __init__(self, python: Path, name: str, length: int) -> None:
        script = Path(__file__).with_name("sax_rivals.py")
        self.process = subprocess.Popen(
            [str(python), str(script), name, str(length)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.name = f"{name} {self._answer()}"

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of {self.process.args} ended without an answer")
        return line.strip()

    def seconds(self) -> float:
        """Seconds of one round, by its own clock."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def timed(run: Callable[[], object]) -> Callable[[], float]:
    """Seconds of one call."""

    def seconds() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    return seconds


def ours(x: np.ndarray, views: tuple[str, ...]) -> tuple[Callable[[], object], ...]:
    """`prepare` of a fitted front end, and the two halves of it."""
    schema = [Modality("all", CHANNELS, x.shape[1] / WINDOW_S)]
    windows = Windows.from_arrays({"all": x}, schema, duration_s=WINDOW_S)
    recipe = load_recipe("paper").override(
        {"symbols.views": list(views), "symbols.interpolate_hz": None}
    )
    front_end = build_front_end(recipe).fit(windows)
    assert front_end.prepare(windows).symbols["all"].tokens.shape[1] == WORDS
    symbolizer = front_end.symbolizer
    binned = symbolizer.bin(windows)["all"]
    return (
        lambda: front_end.prepare(windows),
        lambda: symbolizer.bin(windows),
        lambda: symbolizer.symbols("all", binned),
    )


def measure(length: int, rounds: int, python: Path | None) -> list[dict[str, Any]]:
    """Rows of one length."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(WINDOWS, length, CHANNELS)).astype(np.float32)
    copy = np.empty_like(x)
    rivals = [] if python is None else [Rival(python, name, length) for name in RIVALS]
    references = {
        "a loop over windows and channels": timed(lambda: symbols_by_loop(x, WORDS)),
        "a loop over windows, channels and words": timed(
            lambda: symbols_by_loop(x, WORDS, by_word=True)
        ),
    }
    references |= {rival.name: rival.seconds for rival in rivals}
    sides = dict(references)
    for name, views in VIEWS.items():
        prepare, bins, symbols = (timed(run) for run in ours(x, views))
        sides |= {name: prepare, f"{name}, bins": bins, f"{name}, symbols": symbols}
    sides["copy"] = timed(lambda: np.copyto(copy, x))
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first does not count
        for name, run in sides.items():
            run_s = run()
            if number:
                seconds[name].append(run_s)
    for rival in rivals:
        rival.close()
    return [
        compared(f"{view}, {length} samples", seconds, view, reference)
        for view in VIEWS
        for reference in references
    ]


def compared(
    name: str, seconds: dict[str, list[float]], view: str, reference: str
) -> dict[str, Any]:
    """Medians of both sides, their ratio with quartiles, share of the rate of a copy."""
    value, spread = ratio(np.array(seconds[view]), np.array(seconds[reference]))
    median = {side: float(np.median(values)) for side, values in seconds.items()}
    return {
        "name": name,
        "ours_s": round(median[view], 6),
        "of_it_bins_s": round(median[f"{view}, bins"], 6),
        "of_it_symbols_s": round(median[f"{view}, symbols"], 6),
        "reference": reference,
        "reference_s": round(median[reference], 6),
        "ratio": round(value, 2),
        "spread": [round(q, 2) for q in spread],
        "share_of_copy_rate": round(median["copy"] / median[view], 4),
    }


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rivals", type=Path, help="interpreter with pyts and aeon")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.rivals is None:
        print(f"without {' and '.join(RIVALS)}: name an interpreter that has them with --rivals")
    rows = [row for length in LENGTHS for row in measure(length, given.rounds, given.rivals)]
    for row in rows:
        low, high = row["spread"]
        print(
            f"{row['name']:<26} {row['ratio']:7.2f}x [{low:.2f}, {high:.2f}]  "
            f"{row['ours_s'] * 1000:.2f} ms against {row['reference_s'] * 1000:.2f} ms by "
            f"{row['reference']}; {row['share_of_copy_rate']:.1%} of the rate of a copy"
        )
    if given.out is not None:
        found = {
            "version": __version__,
            "machine": platform.machine(),
            "numpy": np.__version__,
            "shape": {
                "windows": WINDOWS,
                "channels": CHANNELS,
                "words": WORDS,
                "alphabet": ALPHABET,
            },
            "rounds": given.rounds,
            "rows": rows,
        }
        write_text(given.out, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
