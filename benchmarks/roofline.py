"""How close the products of shape S come to the machine: GFLOP/s of each over the matrix peak.

``python benchmarks/roofline.py [--threads 2] [--out FILE]``: the products of an encoder's first
layer over 64 windows, alone and warm, in float32 and bfloat16. The peak is the best of them and of
three large square products in the same precision.
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
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.training.memory import memory_kept
from published import Shape

WINDOWS, QUERIES, SAMPLED = 64, 26, 25
ROUNDS = 25


def products() -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Factors of the products, [rows, inner] · [inner, columns] or batches of such."""
    s = Shape()
    rows, size = WINDOWS * s.tokens, s.width // s.heads
    heads = 128 * s.heads  # windows that attend together, times heads
    return {
        "queries, keys, values": ((rows, s.width), (s.width, 3 * s.width)),
        "after attention": ((rows, s.width), (s.width, s.width)),
        "distillation, a pair of tokens": ((rows // 2, 2 * s.width), (2 * s.width, s.width)),
        "feed-forward, rise": ((rows // 2, s.width), (s.width, 4 * s.width)),
        "feed-forward, fall": ((rows // 2, 4 * s.width), (4 * s.width, s.width)),
        "ranking, per head": ((heads, SAMPLED, size), (heads, size, s.tokens)),
        "queries by keys, per head": ((heads, QUERIES, size), (heads, size, s.tokens)),
        "shares by values, per head": ((heads, QUERIES, s.tokens), (heads, s.tokens, size)),
        "gradient of a weight": ((s.width, rows), (rows, 3 * s.width)),
    }


def seconds(run: Callable[[], Tensor]) -> float:
    """Median of a warm call."""
    found = []
    for number in range(ROUNDS + 3):
        began = time.perf_counter()
        run()
        if number >= 3:
            found.append(time.perf_counter() - began)
    return float(np.median(found))


def gflops(left: tuple[int, ...], right: tuple[int, ...], dtype: torch.dtype) -> float:
    """Of one product."""
    a, b = torch.randn(*left).to(dtype), torch.randn(*right).to(dtype)
    return 2 * a.numel() * right[-1] / seconds(lambda: torch.matmul(a, b)) / 1e9


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    told: dict[str, Any] = {
        "version": __version__,
        "machine": f"{platform.machine()}, {given.threads} threads",
        "torch": torch.__version__,
    }
    with memory_kept():
        for dtype in (torch.float32, torch.bfloat16):
            rows = {name: round(gflops(*factors, dtype), 1) for name, factors in products().items()}
            square = (gflops((n, n), (n, n), dtype) for n in (512, 1024, 2048))
            peak = max(*square, *rows.values())
            name = str(dtype).removeprefix("torch.")
            told[name] = {"peak_gflops": round(peak, 1), "gflops": rows}
            print(f"{name}: {peak:.0f} GFLOP/s at most")
            for part, found in rows.items():
                print(f"  {part:<34}{found:7.1f} GFLOP/s  {found / peak:4.0%}")
    if given.out is not None:
        write_text(given.out, json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
