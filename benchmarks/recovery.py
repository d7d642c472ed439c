"""How many of the queries that stand out on all keys the sample of keys finds too, per layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maestro_ts.contract.network import Network
from maestro_ts.model.attention import Attention
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.fusion import FusionLayer

__all__ = ["Tally", "recovery"]


@dataclass
class Tally:
    """Sums over rows and heads of one layer.

    Attributes
    ----------
    recovered : float
        Share of the exact top ⌈v⌉ queries that the sample picks too.
    chance : float
        The share that ⌈v⌉ queries drawn at random would contain, ``⌈v⌉ / L``.
    keys : float
        Share of the keys that is in the sample.
    ranked, unranked : int
        Rows and heads in which some queries attend, which the sums are over; in which all do.
    """

    recovered: float = 0.0
    chance: float = 0.0
    keys: float = 0.0
    ranked: int = 0
    unranked: int = 0

    def add(self, attention: Attention, packed: Tensor, queries: Tensor, length: int) -> None:
        """Count rows of one length.

        Parameters
        ----------
        packed : [R · L, 3 D]
            Queries, keys and values beside each other.
        queries : [R]
            Real number v of attended queries.
        """
        heads = attention.heads
        count = queries.ceil().clamp(1, length).long()
        selects = count < length
        self.unranked += heads * int((~selects).sum())
        if not selects.any():
            return
        split = packed.view(len(queries), length, 3, heads, -1)[selects].permute(2, 0, 3, 1, 4)
        products = split[0] @ split[1].transpose(2, 3)  # [R, H, L, L]
        count = count[selects]
        places = attention._places(len(count), length, packed.device).expand(len(count), -1)
        found = products.gather(3, places[:, None, None].expand(*products.shape[:3], -1))
        both = _first(products, count) & _first(found, count)
        shares = both.sum(dim=-1) / count[:, None]  # [R, H]
        self.recovered += float(shares.sum())
        self.chance += heads * float((count / length).sum())
        self.keys += heads * sum(len(row.unique()) for row in places) / length
        self.ranked += shares.numel()

    def means(self) -> dict[str, Any]:
        """Plain numbers for a file."""
        n = self.ranked
        means = {
            name: round(getattr(self, name) / n, 4) if n else None
            for name in ("recovered", "chance", "keys")
        }
        return means | {"ranked": n, "unranked": self.unranked}


def _first(products: Tensor, count: Tensor) -> Tensor:
    """Which queries have the `count` [R] highest ``max qk − mean qk``, [R, H, L], bool."""
    score = products.amax(dim=-1) - products.mean(dim=-1)
    rank = score.argsort(dim=-1, descending=True).argsort(dim=-1)
    return rank < count[:, None, None]


@contextmanager
def recovery(network: Network) -> Iterator[dict[str, Tally]]:
    """Count in every pass of the network, by layer: ``encoder 1``, …, ``fusion 1``, ….

    The network must be in evaluation, where its sample is fixed.
    """
    tallies: dict[str, Tally] = {}

    def encoder(name: str) -> Any:
        def hook(layer: EncoderLayer, given: tuple[Tensor, Tensor, list[int]]) -> None:
            x, queries, sizes = given
            length = x.shape[1]
            packed = layer.attention.project(x.flatten(0, 1), [size * length for size in sizes])
            tallies.setdefault(name, Tally()).add(layer.attention, packed, queries, length)

        return hook

    def fusion(name: str) -> Any:
        def hook(layer: FusionLayer, given: tuple[Tensor, Any]) -> None:
            x, spans = given
            packed = layer.attention.project(x, [len(x)])
            for first, rows, length in spans.blocks:
                v = layer.attention.beta * math.ceil(math.log(max(length, 2)))
                part = packed[first : first + rows * length]
                tally = tallies.setdefault(name, Tally())
                tally.add(layer.attention, part, torch.full((rows,), v), length)

        return hook

    hooks = []
    for path, module in network.named_modules():
        number = path.rpartition(".")[2]
        if isinstance(module, EncoderLayer):
            hooks.append(module.register_forward_pre_hook(encoder(f"encoder {int(number) + 1}")))
        elif isinstance(module, FusionLayer):
            hooks.append(module.register_forward_pre_hook(fusion(f"fusion {int(number) + 1}")))
    try:
        yield tallies
    finally:
        for hook in hooks:
            hook.remove()
