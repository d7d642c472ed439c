"""Words of the dictionary → what they add to the tokens of their bins."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.dropout import Dropout
from maestro_ts.model.stacked import linear
from maestro_ts.symbols.alphabet import MISSING, centres

__all__ = ["WordEmbedding"]


class WordEmbedding(nn.Module):
    """One linear map per modality of its words' Gaussian centres and of one flag, "missing".

    The words of a bin are all missing or none: the flag is raised where the first is.

    Parameters
    ----------
    modalities : sequence of int
        That have words.
    words : int
        F of each.
    alphabet : int
    width : int
    dropout : float
        Of words, in training.
    """

    def __init__(
        self, modalities: Sequence[int], words: int, alphabet: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        self.modalities = list(modalities)
        self.maps = nn.ModuleDict({str(m): nn.Linear(words + 1, width) for m in modalities})
        self.dropout = Dropout(dropout)
        middle = torch.tensor(centres(alphabet), dtype=torch.get_default_dtype())
        # One more symbol, for the flag.
        self.register_buffer("numbers", F.pad(middle, (0, 1), value=1.0), persistent=False)
        self.numbers: Tensor

    def forward(
        self, x: Tensor, members: Sequence[int], words: Sequence[Tensor], sizes: Sequence[int]
    ) -> Tensor:
        """Add to the tokens of modalities with one token length.

        Parameters
        ----------
        x : [R, L, D]
        members : sequence of int
            Modalities of the rows, in order, with words or without.
        words : sequence of Tensor
            [R_m, L, F] of those that have any.
        sizes : sequence of int
            Rows of each.
        """
        worded = [m for m in members if str(m) in self.maps]
        if not worded:
            return x
        added = self._tokens(worded, torch.cat(list(words)), [len(w) for w in words])
        if len(worded) == len(members):
            return x + added
        own = iter(torch.split(added, [len(w) for w in words]))
        parts = zip(members, torch.split(x, list(sizes)), strict=True)
        return torch.cat([part + next(own) if m in worded else part for m, part in parts])

    def _tokens(self, members: list[int], symbols: Tensor, sizes: list[int]) -> Tensor:
        """[R, L, F] → [R, L, D], those of all members in one product."""
        numbers, flag = self.numbers, len(self.numbers) - 1
        missing = (symbols[..., :1] == MISSING).to(symbols.dtype) * flag
        kept = self.dropout.draw(symbols.shape, symbols.device)
        if kept is not None:
            # A centre that is dropped is 0, as is that of the missing symbol: bytes suffice.
            symbols = symbols * kept
            numbers = torch.cat([numbers[:-1] * self.dropout.scale, numbers[-1:]])
        given = torch.cat([symbols, missing], dim=-1)
        looked_up = numbers.index_select(0, given.flatten().int()).view(-1, given.shape[-1])
        weight = torch.stack([self.map_of(m).weight for m in members]).transpose(1, 2)
        bias = torch.stack([self.map_of(m).bias for m in members])[:, None]
        length = symbols.shape[1]
        tokens = linear(looked_up, weight, bias, [length * size for size in sizes])
        return tokens.view(*symbols.shape[:2], tokens.shape[1])

    def map_of(self, m: int) -> nn.Linear:
        """Of words and the flag, [F + 1] → [D]."""
        found = self.maps[str(m)]
        assert isinstance(found, nn.Linear)
        return found
