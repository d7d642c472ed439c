"""`ModelCase`: a registered model under test, and what the checks do with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.contract.registry import (
    build_front_end,
    build_network,
    fit_network,
    fits_at_once,
)
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows

__all__ = [
    "CLASSES",
    "ModelCase",
    "assert_close",
    "assert_same",
    "evaluate",
    "finite",
    "gradients",
    "logits_of",
    "train_batch",
]

CLASSES = 3


@dataclass(frozen=True)
class ModelCase:
    """A model and its recipe.

    Attributes
    ----------
    name : str
        In the registry.
    recipe : Recipe
    without_gradient : tuple of str
        Patterns of parameters (as in `fnmatch`) that never have a gradient, by design.
    """

    name: str
    recipe: Recipe
    without_gradient: tuple[str, ...] = ()

    def override(self, changes: dict[str, object]) -> ModelCase:
        """The same model under other settings."""
        return ModelCase(self.name, self.recipe.override(changes), self.without_gradient)

    @property
    def at_once(self) -> bool:
        """No gradient trains the model: it has a `fit` of its own."""
        return fits_at_once(self.recipe.override({"model_kind": self.name}))

    def build(self, windows: Windows, seed: int = 0) -> tuple[FrontEnd, Network]:
        """Front end fitted on `windows`, and a network with weights drawn from `seed`.

        One that is fitted at once is fitted to labels in turn; few windows come several times.
        """
        recipe = self.recipe.override({"model_kind": self.name})
        front_end = build_front_end(recipe).fit(windows)
        if self.at_once:
            rows = np.resize(np.arange(len(windows)), max(len(windows), 2 * CLASSES))
            labels, weights = np.arange(len(rows)) % CLASSES, np.ones(len(rows), np.float32)
            given = (windows[rows], labels, weights, CLASSES, recipe, seed)
            return front_end, fit_network(front_end, *given)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = build_network(front_end, CLASSES, recipe)
        return front_end, network


def evaluate(network: Network, batch: Batch) -> Output:
    """An evaluation pass."""
    network.eval()
    with torch.no_grad():
        out: Output = network(batch)
    return out


def logits_of(front_end: FrontEnd, network: Network, windows: Windows) -> Tensor:
    """Logits of all windows as one batch."""
    return evaluate(network, front_end(windows)).logits


def train_batch(network: Network, batch: Batch, labels: NDArray[np.int64], seed: int = 0) -> Tensor:
    """Forward and backward in training mode; gradients add up. Draws come from `seed`.

    A network without parameters has no backward.
    """
    network.train()
    network.use_generator(torch.Generator().manual_seed(seed))
    out = network(batch)
    loss = F.cross_entropy(out.logits, torch.from_numpy(np.asarray(labels, dtype=np.int64)))
    if out.aux_loss is not None:
        loss = loss + out.aux_loss
    if any(True for _ in network.parameters()):
        loss.backward()  # type: ignore[no-untyped-call]
    network.use_generator(None)
    return loss.detach()


def gradients(network: Network) -> dict[str, Tensor]:
    """A copy of every gradient; zeros where there is none."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in network.named_parameters()
    }


def finite(tensor: Tensor, what: str) -> None:
    """Fail unless every number is finite."""
    assert bool(torch.isfinite(tensor).all()), f"{what}: not finite: {tensor}"


def assert_same(a: Tensor, b: Tensor, what: str) -> None:
    """Fail unless bit-equal."""
    assert torch.equal(a, b), f"{what}: differ by up to {float((a - b).abs().max()):.3g}"


def assert_close(a: Tensor, b: Tensor, what: str) -> None:
    """Fail unless equal up to rounding: 1e-9 in float64, rtol 1e-4 in float32."""
    if a.dtype == torch.float64:
        near = torch.allclose(a, b, rtol=0.0, atol=1e-9)
    else:
        near = torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    assert near, f"{what}: differ by up to {float((a - b).abs().max()):.3g} ({a.dtype})"
