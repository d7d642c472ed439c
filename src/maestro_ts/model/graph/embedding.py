"""Symbols of several modalities → tokens, in one product.

Whatever the kind of embedding, a token is a linear map of features that are looked up by symbol:
centre and missing (``ordinal``), the number (``id``), one of A + 1 (``table``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maestro_ts.model.embedding import SymbolEmbedding

__all__ = ["GraphEmbedding"]


class GraphEmbedding(nn.Module):
    """G fitted embeddings; those with fewer channels and views than the widest are padded.

    Parameters
    ----------
    embeddings : sequence of SymbolEmbedding
        Of one kind and alphabet.
    added : [G, L, D], optional
        To the tokens.
    """

    def __init__(self, embeddings: Sequence[SymbolEmbedding], added: Tensor | None = None) -> None:
        super().__init__()
        slots = [e.slots for e in embeddings]
        self.members, self.slots = len(slots), max(slots)
        maps = [_linear(e) for e in embeddings]
        features = maps[0][0]
        width, count = maps[0][1].shape[2], features.shape[1]
        weight = features.new_zeros(self.members, self.slots, count, width)
        # A slot that a modality lacks reads its first one, with weight 0.
        places = torch.zeros(self.members, self.slots, dtype=torch.int64)
        first = 0
        for g, own in enumerate(slots):
            weight[g, :own] = maps[g][1]
            places[g] = first
            places[g, :own] += torch.arange(own)
            first += own
        self.register_buffer("features", features)
        self.register_buffer("places", places.flatten())
        self.register_buffer("weight", weight.flatten(1, 2)[:, None])
        bias = torch.stack([bias for _, _, bias in maps])[:, None]
        self.register_buffer("bias", (bias if added is None else bias + added)[:, None])
        self.features: Tensor
        self.places: Tensor
        self.weight: Tensor
        self.bias: Tensor

    def forward(self, symbols: Sequence[Tensor]) -> Tensor:
        """G times [B, L, C, V] uint8 → [G, B, L, D]."""
        joined = torch.cat([s.flatten(2) for s in symbols], dim=2)
        batch, length, _ = joined.shape
        chosen = joined.index_select(2, self.places).view(batch, length, self.members, self.slots)
        looked_up = nn.functional.embedding(chosen.permute(2, 0, 1, 3).int(), self.features)
        return looked_up.flatten(3) @ self.weight + self.bias


@torch.no_grad()
def _linear(embedding: SymbolEmbedding) -> tuple[Tensor, Tensor, Tensor]:
    """Features of each symbol [A + 1, F], their weights [slots, F, D] and the bias [D]."""
    slots, alphabet = embedding.slots, embedding.alphabet
    if embedding.kind == "table":
        weight = embedding.table.weight.view(slots, alphabet + 1, -1) / math.sqrt(slots)
        features = torch.eye(alphabet + 1, dtype=weight.dtype)
        return features, weight, embedding.bias.detach()
    weight = embedding.map.weight.t()
    features = embedding.ordinals
    if embedding.kind == "id":
        features = torch.arange(alphabet + 1, dtype=weight.dtype)[:, None]
    return features, weight.reshape(slots, features.shape[1], -1), embedding.map.bias.detach()
