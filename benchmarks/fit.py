"""Five epochs of UMAFall, data loading included: ours from a prepared store, and as published.

``python benchmarks/fit.py --data umafall.zip [--rounds 3] [--out docs/results/fit.json]``

Ours is what ``maestro-ts fit STORE`` does between opening the store and the fitted model, with the
default recipe. Theirs is the published formulation at its own 128 tokens a stream: every epoch the
symbols of every window come from a loop over its channels, as in the public script; that its
streams lie resampled in memory is not counted. Each fit is a process of its own, in turns.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts import MaestroClassifier
from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.signals.store import open_windows
from maestro_ts.signals.windows import Windows
from published import Published, Shape, symbols_by_loop
from turns import ratio

EPOCHS = 5
TOKENS = 128
BATCH = 64


def ours(store: Path) -> dict[str, float]:
    """Seconds in all, and of them in making batches."""
    import maestro_ts.model.front_end as front_end

    loading = 0.0
    collate = front_end.SymbolFrontEnd.collate

    def timed(*args: Any, **words: Any) -> Any:
        nonlocal loading
        began = time.perf_counter()
        batch = collate(*args, **words)
        loading += time.perf_counter() - began
        return batch

    front_end.SymbolFrontEnd.collate = timed  # type: ignore[method-assign]
    began = time.perf_counter()
    windows = open_windows(store)
    settings = {"training.epochs": EPOCHS, "training.min_steps": 0}
    MaestroClassifier(settings=settings, random_state=0).fit(windows)
    return {"seconds": time.perf_counter() - began, "loading": loading}


def published(store: Path) -> dict[str, float]:
    """The same windows through the published formulation."""
    windows = open_windows(store)
    streams = [resampled(windows, name) for name in windows.schema.names]
    _, targets = np.unique(windows.labels.astype(str), return_inverse=True)
    shape = Shape(
        channels=tuple(m.channels for m in windows.schema), tokens=TOKENS, classes=targets.max() + 1
    )
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    network = Published(shape).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    everyone = torch.ones(len(streams))
    loading = 0.0
    began = time.perf_counter()
    for _ in range(EPOCHS):
        order = rng.permutation(len(targets))
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            here = time.perf_counter()
            numbers = [
                torch.from_numpy(symbols_by_loop(values[rows], TOKENS)).float()
                for values in streams
            ]
            loading += time.perf_counter() - here
            loss = F.cross_entropy(network(numbers, everyone), torch.from_numpy(targets[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"seconds": time.perf_counter() - began, "loading": loading}


def resampled(windows: Windows, name: str) -> np.ndarray:
    """Two samples a token, by interpolation; zeros for an absent stream."""
    out = np.zeros((len(windows), 2 * TOKENS, windows.schema[name].channels), dtype=np.float32)
    for i in range(len(windows)):
        values, times = windows.samples[name].window(i)
        there = ~np.isnan(values).any(axis=1)
        if there.any():
            places = np.linspace(0, windows.duration_s[i], 2 * TOKENS)
            for c in range(out.shape[2]):
                out[i, :, c] = np.interp(places, times[there], values[there, c])
    return out


def main() -> None:
    """Print the row, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", choices=["ours", "published"], help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.side:
        print(json.dumps({"ours": ours, "published": published}[given.side](given.store)))
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        command = [str(Path(sys.executable).with_name("maestro-ts")), "prepare", "umafall"]
        subprocess.run(
            [*command, "--data", str(given.data), "--out", str(store)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found: dict[str, list[dict[str, float]]] = {"ours": [], "published": []}
        for _ in range(given.rounds):
            for side, rounds in found.items():
                words = ["--side", side, "--store", str(store), "--threads", str(given.threads)]
                told = subprocess.run(
                    [sys.executable, __file__, *words], check=True, capture_output=True, text=True
                )
                rounds.append(json.loads(told.stdout))
    seconds = {side: np.array([r["seconds"] for r in rounds]) for side, rounds in found.items()}
    value, spread = ratio(seconds["ours"], seconds["published"])
    row = {
        "name": "fit of UMAFall from a store, 5 epochs",
        "version": __version__,
        "machine": f"{platform.machine()}, {given.threads} threads",
        "ours_s": round(float(np.median(seconds["ours"])), 2),
        "reference": "published",
        "reference_s": round(float(np.median(seconds["published"])), 2),
        "ratio": round(value, 2),
        "spread": [round(q, 2) for q in spread],
        "loading_share": round(
            float(np.median([r["loading"] / r["seconds"] for r in found["ours"]])), 3
        ),
    }
    print(json.dumps(row))
    if given.out is not None:
        write_text(given.out, json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
