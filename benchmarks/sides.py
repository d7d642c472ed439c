"""One side of a comparison, in a process of its own: ours with some settings, or the published.

``python benchmarks/sides.py JSON`` builds it, says ``ready`` and then does what each line of its
input says: ``train`` or ``infer`` → seconds of one step or pass, ``memory`` → bytes, ``macs`` → of
a pass over its batch.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.deploy.onnx_file import onnx_runner, quantised, write_onnx
from maestro_ts.evaluation.cost import count_macs
from maestro_ts.model.graph.network import MaestroGraph
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.training.memory import memory_kept
from maestro_ts.training.precision import in_precision
from published import Published, Shape

CLASSES = 3
WINDOW_S = 8.0


@dataclass(frozen=True)
class Side:
    """What a side computes.

    Attributes
    ----------
    recipe : str
        Of ours; empty: the published formulation.
    settings : dict
        Changes of the recipe.
    batch : int
        Windows.
    tokens : int
        Per modality, where the recipe says how long a bin is (or the published one).
    modalities : int
        Of WESAD's ten: the first so many, and from the first again after the tenth.
    absent : int
        Modalities that a window lacks, others in every window of ours; the published formulation
        knows one pattern per batch.
    threads : int
    exported : str
        ``float32`` or ``int8``: as a file in ONNX Runtime, which only infers; empty: the network.
    """

    recipe: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    batch: int = 64
    tokens: int = 128
    modalities: int = 10
    absent: int = 0
    threads: int = 2
    exported: str = ""

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each modality."""
        return tuple(islice(cycle(Shape().channels), self.modalities))

    def command(self) -> list[str]:
        """How to start its process."""
        return [sys.executable, str(Path(__file__)), json.dumps(asdict(self))]


def windows(side: Side) -> Windows:
    """Noise at 32 Hz, two samples a token of the paper's recipe, in WESAD's channels."""
    rng = np.random.default_rng(0)
    duration = WINDOW_S * side.tokens / 128
    schema = [Modality(f"m{i}", c, 32.0) for i, c in enumerate(side.channels)]
    n = max(side.batch, 8)
    keep = presence(side, n, rng)
    arrays: dict[str, Any] = {}
    for m, modality in enumerate(schema):
        values = rng.normal(size=(n, round(32 * duration), modality.channels))
        values[~keep[:, m]] = np.nan
        arrays[modality.name] = values.astype(np.float32)
    return Windows.from_arrays(arrays, schema, duration_s=duration)


def presence(side: Side, n: int, rng: np.random.Generator) -> np.ndarray:
    """Which modalities each window has."""
    return rng.random((n, side.modalities)).argsort(axis=1) >= side.absent


class Ours:
    """A network of ours, and a batch."""

    def __init__(self, side: Side) -> None:
        full = windows(replace(side, absent=0))
        recipe = load_recipe(side.recipe).override(side.settings)
        front_end = build_front_end(recipe).fit(full)
        torch.manual_seed(0)
        self.network: Network = build_network(front_end, CLASSES, recipe)
        self.network.use_generator(torch.Generator().manual_seed(0))
        self.batch: Batch = front_end(windows(side)[: side.batch])
        self.precision = recipe.model.precision

    def logits(self) -> Tensor:
        """Of the batch."""
        return in_precision(self.network, self.precision)(self.batch).logits

    def prepared(self) -> Callable[[], Tensor]:
        """For many passes with the same weights."""
        run = in_precision(self.network, self.precision)
        return lambda: run(self.batch).logits

    def macs(self) -> float:
        """Multiply-accumulates of a pass."""
        return count_macs(self.network, self.batch)


class Exported(Ours):
    """A network of ours as an ONNX file, and a batch."""

    def __init__(self, side: Side) -> None:
        super().__init__(side)
        assert isinstance(self.network, Maestro)
        graph = MaestroGraph(self.network.eval())
        self.given = graph.arguments(self.batch)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            two = [torch.cat([x, x])[:2] for x in self.given]
            write_onnx(graph, two, file)
            if side.exported == "int8":
                small = Path(folder) / "small.onnx"
                quantised(file, small)
                file = small
            self.run = onnx_runner(file, side.threads)

    def logits(self) -> Tensor:
        """Of the batch."""
        return self.run(self.given)

    def prepared(self) -> Callable[[], Tensor]:
        """As it is."""
        return self.logits


class TheirFormulation:
    """The published formulation, which encodes an absent modality too."""

    def __init__(self, side: Side) -> None:
        torch.manual_seed(0)
        self.network = Published(Shape(channels=side.channels, tokens=side.tokens))
        generator = torch.Generator().manual_seed(0)
        self.numbers = [
            torch.randint(0, 20, (side.batch, side.tokens, c), generator=generator).float()
            for c in side.channels
        ]
        self.present = (torch.arange(side.modalities) >= side.absent).float()

    def logits(self) -> Tensor:
        """Of the batch."""
        result: Tensor = self.network(self.numbers, self.present)
        return result

    def prepared(self) -> Callable[[], Tensor]:
        """As it is."""
        return self.logits


def resident(kind: str) -> int:
    """Bytes: ``VmRSS`` now, ``VmHWM`` at most since `forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"the system does not tell {kind}")


def forget_peak() -> None:
    """Let the peak begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def serve(side: Side) -> None:
    """Answer line by line."""
    torch.set_num_threads(side.threads)
    with ExitStack() as kept:
        ours = bool(side.recipe)
        kind = (Exported if side.exported else Ours) if ours else TheirFormulation
        built = kind(side)
        if ours:
            kept.enter_context(memory_kept())  # as fitting and predicting do
        network = built.network
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
        targets = torch.randint(
            0, CLASSES, (side.batch,), generator=torch.Generator().manual_seed(0)
        )

        def train() -> float:
            network.train()
            began = time.perf_counter()
            loss = F.cross_entropy(built.logits(), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return time.perf_counter() - began

        def infer() -> float:
            network.eval()
            with torch.no_grad():
                run = built.prepared()
                began = time.perf_counter()
                run()
                return time.perf_counter() - began

        def memory() -> int:
            forget_peak()
            before = resident("VmRSS")
            for _ in range(3):
                train()
            return resident("VmHWM") - before

        def macs() -> float:
            assert isinstance(built, Ours)
            return built.macs()

        answers: dict[str, Callable[[], float]] = {
            "train": train,
            "infer": infer,
            "memory": memory,
            "macs": macs,
        }
        print("ready", flush=True)
        for line in sys.stdin:
            print(answers[line.strip()](), flush=True)


if __name__ == "__main__":
    serve(Side(**json.loads(sys.argv[1])))
