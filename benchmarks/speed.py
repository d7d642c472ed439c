"""Ours against the published formulation at its shape: ratios of interleaved runs in one process.

``python benchmarks/speed.py [--threads 2] [--rounds 7] [--out docs/results/speed.json]``

Shape S is WESAD as published: 10 modalities of 128 tokens, width 64, 8 heads, 2 + 2 layers, 4
experts, dropout .1. Every round times each side once, in turn; the ratio is of medians, its spread
the quartiles of the rounds' own ratios. The published formulation must reach the shares of the
matrix peak that its original was measured at (46, 33 and 12 of about 400 GFLOP/s), or a ratio to
it does not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from published import Published, Shape, multiply_accumulates, symbols_by_loop
from store import SCHEMA, WINDOW_S

BATCH = 64
# GFLOP/s that the original reached, and the peak of matrix products on the machine it ran on.
ORIGINAL = {"training": 46.0, "inference, 64 windows": 33.0, "inference, one window": 12.0}
ORIGINAL_PEAK = 400.0


def windows(n: int) -> Windows:
    """White noise at WESAD's rates."""
    rng = np.random.default_rng(0)
    arrays = {
        m.name: rng.normal(size=(n, round((m.rate_hz or 0) * WINDOW_S), m.channels)) for m in SCHEMA
    }
    return Windows.from_arrays(arrays, SCHEMA, duration_s=WINDOW_S)


def ours() -> tuple[Network, Batch, Batch]:
    """Our network with the paper's settings, absent modalities one token; 64 windows, and one."""
    given = windows(BATCH)
    recipe = load_recipe("paper").override({"model.absent": "token"})
    front_end = build_front_end(recipe).fit(given)
    torch.manual_seed(0)
    return build_network(front_end, 3, recipe), front_end(given), front_end(given[:1])


def training(logits: Callable[[], Tensor], network: torch.nn.Module) -> Callable[[], None]:
    """One step: forward, backward, Adam."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    targets = torch.randint(0, 3, (BATCH,), generator=torch.Generator().manual_seed(0))

    def step() -> None:
        network.train()
        loss = F.cross_entropy(logits(), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def inference(logits: Callable[[], Tensor], network: torch.nn.Module) -> Callable[[], None]:
    """One pass in evaluation."""

    def run() -> None:
        network.eval()
        with torch.no_grad():
            logits()

    return run


def interleaved(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every side in every round, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def compared(name: str, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Median of each side, and how many times faster the first is."""
    mine, reference = seconds
    ratios = np.array(seconds[reference]) / np.array(seconds[mine])
    medians = {side: float(np.median(values)) for side, values in seconds.items()}
    return {
        "name": name,
        "ours_s": round(medians[mine], 5),
        "reference": reference,
        "reference_s": round(medians[reference], 5),
        "ratio": round(medians[reference] / medians[mine], 2),
        "spread": [round(float(q), 2) for q in np.quantile(ratios, (0.25, 0.75))],
    }


def matrix_peak(rounds: int = 15) -> float:
    """GFLOP/s of a product at the shape of one encoder's feed-forward layer, in float32."""
    a, b = torch.randn(8192, 64), torch.randn(64, 256)
    run = interleaved({"product": lambda: torch.mm(a, b)}, rounds)["product"]
    big = torch.randn(1024, 1024)
    square = interleaved({"product": lambda: torch.mm(big, big)}, rounds)["product"]
    return max(2 * 8192 * 64 * 256 / np.median(run), 2 * 1024**3 / np.median(square)) / 1e9


def measure(rounds: int) -> dict[str, Any]:
    """All comparisons."""
    shape = Shape()
    torch.manual_seed(0)
    reference = Published(shape)
    numbers = [torch.randint(0, 20, (BATCH, shape.tokens, c)).float() for c in shape.channels]
    one = [x[:1] for x in numbers]
    everyone = torch.ones(len(shape.channels))
    network, batch, single = ours()
    network.use_generator(torch.Generator().manual_seed(0))
    pairs = {
        "training": (
            training(lambda: network(batch).logits, network),
            training(lambda: reference(numbers, everyone), reference),
        ),
        "inference, 64 windows": (
            inference(lambda: network(batch).logits, network),
            inference(lambda: reference(numbers, everyone), reference),
        ),
        "inference, one window": (
            inference(lambda: network(single).logits, network),
            inference(lambda: reference(one, everyone), reference),
        ),
    }
    rows = [
        compared(name, interleaved({"ours": mine, "published": theirs}, rounds))
        for name, (mine, theirs) in pairs.items()
    ]
    values = windows(BATCH).samples["chest_ecg"].values.reshape(BATCH, -1, 1)
    symbolizer = build_front_end(load_recipe("paper").override({"symbols.interpolate_hz": None}))
    ecg = Windows.from_arrays({"chest_ecg": values}, [SCHEMA["chest_ecg"]], duration_s=WINDOW_S)
    symbolizer.fit(ecg)
    rows.append(
        compared(
            "symbols, shape view, 64 windows of 5,600 samples",
            interleaved(
                {
                    "ours": lambda: symbolizer.prepare(ecg),
                    "a loop over windows and channels": lambda: symbols_by_loop(
                        values, shape.tokens
                    ),
                },
                rounds,
            ),
        )
    )
    peak = matrix_peak()
    flops = 2 * multiply_accumulates(shape)
    work = {
        "training": 3 * BATCH * flops,
        "inference, 64 windows": BATCH * flops,
        "inference, one window": flops,
    }
    for row in rows[:3]:
        reached = work[row["name"]] / row["reference_s"] / 1e9
        row["reference_share_of_peak"] = round(reached / peak, 3)
        row["original_share_of_peak"] = round(ORIGINAL[row["name"]] / ORIGINAL_PEAK, 3)
    return {
        "version": __version__,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "rounds": rounds,
        "matrix_peak_gflops": round(peak, 1),
        "rows": rows,
    }


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found = measure(given.rounds)
    for row in found["rows"]:
        share = row.get("reference_share_of_peak")
        said = f", published at {share:.1%} of the peak" if share is not None else ""
        low, high = row["spread"]
        print(
            f"{row['name']:<50} {row['ratio']:6.2f}x [{low:.2f}, {high:.2f}]  "
            f"{row['ours_s'] * 1000:.1f} ms against {row['reference_s'] * 1000:.1f} ms{said}"
        )
    if given.out is not None:
        write_text(given.out, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
