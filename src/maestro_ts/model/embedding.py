"""Symbols → tokens: ordered symbols through their Gaussian centres, missing by a learned vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.stacked import linear
from maestro_ts.symbols.alphabet import MISSING, centres

__all__ = ["SymbolEmbedding", "embed", "sinusoidal_positions"]


class SymbolEmbedding(nn.Module):
    """Embed symbols of C channels and V views.

    ``ordinal`` (ours): ``Σ present · W[ch, view] c_s + (1 − present) · miss[ch, view] + b``.
    ``table``: a free vector per channel, view and symbol. ``id``: the symbol's number through a
    linear map, as in the published code; missing is then only the number 0 (for the ablation).

    Parameters
    ----------
    channels, views : int
    alphabet : int
    width : int
    kind : {"ordinal", "table", "id"}
    """

    def __init__(
        self,
        channels: int,
        views: int,
        alphabet: int,
        width: int,
        kind: Literal["ordinal", "table", "id"] = "ordinal",
    ) -> None:
        super().__init__()
        self.kind, self.slots, self.alphabet = kind, channels * views, alphabet
        middle = torch.tensor(centres(alphabet), dtype=torch.get_default_dtype())
        absent = (torch.arange(alphabet + 1) == MISSING).to(middle.dtype)
        # Row s: the symbol's centre (0 when missing) and 1 when missing.
        self.register_buffer("ordinals", torch.stack([middle, absent], dim=1), persistent=False)
        self.ordinals: Tensor
        if kind == "table":
            self.table = nn.Embedding(self.slots * (alphabet + 1), width)
            self.bias = nn.Parameter(torch.zeros(width))
        else:
            self.map = nn.Linear((2 if kind == "ordinal" else 1) * self.slots, width)

    def forward(self, symbols: Tensor) -> Tensor:
        """Symbols [..., C, V] uint8 → tokens [..., D]."""
        if self.kind != "table":
            mapped: Tensor = self.map(self.numbers(symbols.flatten(-2)))
            return mapped
        s = symbols.flatten(-2).int()
        offset = torch.arange(self.slots, device=s.device) * (self.alphabet + 1)
        tokens: Tensor = self.table(s + offset).sum(dim=-2) / math.sqrt(self.slots) + self.bias
        return tokens

    def numbers(self, symbols: Tensor) -> Tensor:
        """What the linear map is given, [..., slots] → [..., inputs]."""
        if self.kind == "ordinal":
            return F.embedding(symbols.int(), self.ordinals).flatten(-2)
        return symbols.to(self.map.weight.dtype)


def embed(modules: Sequence[nn.Module], symbols: Sequence[Tensor]) -> Tensor:
    """Symbols [R_m, ..., C, V] of several modalities → one run of rows [Σ R_m, ..., D].

    Those with equally many slots in one product.
    """
    embeddings: list[SymbolEmbedding] = []
    alike: dict[tuple[str, int], list[int]] = {}
    for m, embedding in enumerate(modules):
        assert isinstance(embedding, SymbolEmbedding)
        embeddings.append(embedding)
        # Tables are looked up one by one.
        kind = ("alone", m) if embedding.kind == "table" else ("slots", embedding.slots)
        alike.setdefault(kind, []).append(m)
    parts: dict[int, Tensor] = {}
    for members in alike.values():
        some = [embeddings[m] for m in members]
        if len(some) == 1:
            parts[members[0]] = some[0](symbols[members[0]])
            continue
        x = some[0].numbers(torch.cat([symbols[m].flatten(-2) for m in members]))
        weight = torch.stack([e.map.weight for e in some]).transpose(1, 2)
        bias = torch.stack([e.map.bias for e in some])[:, None]
        sizes = [symbols[m].shape[:-2].numel() for m in members]
        tokens = linear(x.flatten(0, -2), weight, bias, sizes)
        tokens = tokens.view(*x.shape[:-1], tokens.shape[1])
        if len(alike) == 1:
            return tokens
        split = torch.split(tokens, [len(symbols[m]) for m in members])
        parts |= zip(members, split, strict=True)
    return torch.cat([parts[m] for m in range(len(embeddings))])


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """``PE[t, 2i] = sin(t / 10000^(2i/D))``, cosine beside it, [L, D] (Vaswani et al. 2017)."""
    t = torch.arange(length, dtype=torch.float64)[:, None]
    rate = torch.exp(-math.log(10000.0) * torch.arange(0, width, 2, dtype=torch.float64) / width)
    table = torch.zeros(length, width, dtype=torch.float64)
    table[:, 0::2], table[:, 1::2] = torch.sin(t * rate), torch.cos(t * rate)
    return table.to(torch.get_default_dtype())
