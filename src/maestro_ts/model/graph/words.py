"""What words add to the tokens of a group of modalities, in one product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maestro_ts.model.words import WordEmbedding
from maestro_ts.symbols.alphabet import MISSING

__all__ = ["GraphWords"]


class GraphWords(nn.Module):
    """A fitted `WordEmbedding` for the modalities of one token length, some of which have words.

    Parameters
    ----------
    words : WordEmbedding
    members : sequence of int
    """

    def __init__(self, words: WordEmbedding, members: Sequence[int]) -> None:
        super().__init__()
        self.worded = [m for m in members if m in words.modalities]
        maps = [words.map_of(m) for m in self.worded]
        weight = torch.stack([own.weight.detach().t() for own in maps])[:, None]
        self.register_buffer("centres", words.numbers[:-1, None].detach())
        self.register_buffer("weight", weight[:, :, :-1])
        self.register_buffer("missing", weight[:, :, -1:])
        self.register_buffer("bias", torch.stack([o.bias.detach() for o in maps])[:, None, None])
        # A member without words takes a row of zeros, which stands behind the others.
        places = [self.worded.index(m) if m in self.worded else len(maps) for m in members]
        self.whole = len(maps) == len(members)
        self.register_buffer("places", torch.tensor(places, device=weight.device))
        self.centres: Tensor
        self.weight: Tensor
        self.missing: Tensor
        self.bias: Tensor
        self.places: Tensor

    def forward(self, x: Tensor, words: Sequence[Tensor]) -> Tensor:
        """[G, B, L, D] and [B, L, F] uint8 of each worded member → [G, B, L, D]."""
        symbols = torch.stack(list(words))
        numbers = nn.functional.embedding(symbols.int(), self.centres).flatten(3)
        gone = (symbols[..., :1] == MISSING).to(numbers.dtype)
        added = numbers @ self.weight + gone * self.missing + self.bias
        if not self.whole:
            blank = torch.zeros_like(added[:1])
            added = torch.cat([added, blank]).index_select(0, self.places)
        return x + added
