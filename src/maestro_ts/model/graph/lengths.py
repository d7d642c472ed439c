"""How many tokens each window has in the fusion, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Lengths"]


class Lengths(NamedTuple):
    """Windows of n ≤ N tokens, the first ones of N places; the rest is padding.

    Attributes
    ----------
    count : [B], int64
    there : [B, N], bool
    """

    count: Tensor
    there: Tensor

    @classmethod
    def of(cls, count: Tensor, places: int) -> Lengths:
        """From [B]."""
        return cls(count, torch.arange(places, device=count.device) < count[:, None])

    def distilled(self) -> Lengths:
        """After one distillation: ``⌊(n − 1) / 2⌋ + 1`` tokens each."""
        return self.of((self.count + 1) // 2, (self.there.shape[1] + 1) // 2)
