"""The golden batch: drawn symbols under every kind of absence, on which an export is checked."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.model.graph.members import Graph
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.symbols.alphabet import MISSING

__all__ = [
    "DRAWS",
    "SEED",
    "Golden",
    "golden_batch",
    "golden_symbols",
    "patterns",
    "steadiest",
    "taken",
]

SEED = 0
RANDOM = 16  # windows with random presence
DRAWS = 4
NUDGE = 1e-5  # of the embeddings' weights: above what rounding to float32 comes to


@dataclass(frozen=True)
class Golden:
    """Windows on which an export is checked.

    Attributes
    ----------
    given : tuple of Tensor
        Positional inputs of the exported graph.
    logits : Tensor, shape (n, K)
        The model's.
    """

    given: tuple[Tensor, ...]
    logits: Tensor


def golden_symbols(network: Network, graph: Graph) -> Golden:
    """The golden batch, and what the model says of it."""
    batch = golden_batch(network)
    with torch.no_grad():
        return Golden(graph.arguments(batch), network(batch).logits)


def golden_batch(network: Network) -> Batch:
    """One window for each of `patterns`, with symbols spread evenly over the alphabet.

    A query that is the last to attend by no more than rounding attends in one program and not in
    another, and a logit jumps by thousandths. Such windows prove nothing: of each pattern several
    are drawn, and that one is kept whose logits move least when the embeddings are nudged.
    """
    member = members_of(network, Maestro)[0]
    drawn = _drawn(member, patterns(len(member.shapes)).repeat_interleave(DRAWS, dim=0))
    return taken(drawn, steadiest(network, drawn))


def steadiest(network: Network, drawn: Batch, avoid: Tensor | None = None) -> Tensor:
    """Of every `DRAWS` windows in a row that whose logits move least when embeddings are nudged.

    Parameters
    ----------
    network : Network
    drawn : Batch
        Of n windows.
    avoid : [n] bool, optional
        Windows that are taken only where there are no others.

    Returns
    -------
    rows : [n / DRAWS] int64
    """
    exact = copy.deepcopy(network).double()
    with torch.no_grad():
        middle = exact(drawn).logits
        moved = torch.zeros(len(middle), dtype=middle.dtype)
        for sign in (1.0, -1.0):
            nudged = copy.deepcopy(exact)
            _nudge(nudged, sign * NUDGE)
            moved = torch.maximum(moved, (nudged(drawn).logits - middle).abs().amax(dim=1))
    if avoid is not None:
        moved = torch.where(avoid, torch.inf, moved)
    chosen = moved.view(-1, DRAWS).argmin(dim=1)
    return chosen + DRAWS * torch.arange(len(chosen))


def patterns(modalities: int) -> Tensor:
    """All there, each one missing, each one alone, random ones with at least one; [P, M] bool."""
    each = torch.eye(modalities, dtype=torch.bool)
    generator = torch.Generator().manual_seed(SEED)
    some = torch.rand(RANDOM, modalities, generator=generator) < 0.5
    some[:, 0] |= ~some.any(dim=1)
    return torch.cat([torch.ones(1, modalities, dtype=torch.bool), ~each, each, some])


def _drawn(network: Maestro, present: Tensor) -> Batch:
    alphabet, rows = network.recipe.symbols.alphabet, len(present)
    generator = torch.Generator().manual_seed(SEED)

    def draw(there: Tensor, *shape: int) -> Tensor:
        symbols = torch.randint(
            MISSING, alphabet + 1, (rows, *shape), generator=generator, dtype=torch.uint8
        )
        symbols[~there] = MISSING
        return symbols

    inputs, extras = {}, {}
    for m, s in enumerate(network.shapes):
        inputs[s.name] = draw(present[:, m], s.length, s.channels, s.views)
        extras[f"summary/{s.name}"] = draw(present[:, m], s.channels, s.summary)
        if s.words:
            words = draw(present[:, m], s.length, s.words)
            # A word is never missing alone: the first stands for all of its bin.
            extras[f"words/{s.name}"] = torch.where(words[..., :1] == MISSING, MISSING, words)
    extras["duration"] = draw(torch.ones(rows, dtype=torch.bool))
    return Batch(
        inputs=inputs,
        valid={name: (symbols != MISSING).any(dim=(2, 3)) for name, symbols in inputs.items()},
        present=present,
        host_present=present,
        index=torch.arange(rows),
        extras=extras,
    )


@torch.no_grad()
def _nudge(network: Network, share: float) -> None:
    generator = torch.Generator().manual_seed(SEED)
    embeddings = [member.embeddings for member in members_of(network, Maestro)]
    for weight in chain.from_iterable(each.parameters() for each in embeddings):
        noise = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
        weight.mul_(1.0 + share * noise)


def taken(batch: Batch, rows: Tensor) -> Batch:
    """Some windows of a batch."""
    present = batch.present[rows]
    return Batch(
        inputs={name: symbols[rows] for name, symbols in batch.inputs.items()},
        valid={name: valid[rows] for name, valid in batch.valid.items()},
        present=present,
        host_present=present,
        index=torch.arange(len(rows)),
        extras={name: symbols[rows] for name, symbols in batch.extras.items()},
    )
