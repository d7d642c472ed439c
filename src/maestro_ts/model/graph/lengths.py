"""How many tokens each window has in the fusion, and what follows from it, by table.

A table's row is a length before the first layer: nothing is divided or rounded in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.distil import distilled_length

__all__ = ["Lengths", "Rows"]


class Rows:
    """Windows of n ≤ N tokens, the first ones of N places; the rest is padding.

    Attributes
    ----------
    count : [B, 1], the number n
    column : [B, N, 1], bool, true for a token
    hidden : [B, 1, 1, N], 0 for a token and −∞ for padding
    share : [1, B, 1, N, 1], 1 / n for a token and 0 for padding
    """

    def __init__(self, count: Tensor, inverse: Tensor, places: int) -> None:
        place = torch.arange(places, device=count.device, dtype=count.dtype)
        there = place < count
        self.count, self.column = count, there[:, :, None]
        zero = inverse.new_zeros(())
        self.hidden = torch.where(there, zero, zero - math.inf)[:, None, None]
        self.share = torch.where(there, inverse, zero)[None, :, None, :, None]

    def mean(self, x: Tensor) -> Tensor:
        """Mean over the tokens of [1, B, H, e, N]."""
        return (x @ self.share)[..., 0]


class Lengths(nn.Module):
    """Lengths after so many distillations, for every length at first.

    Parameters
    ----------
    longest : int
        At first.
    distilled : int
    like : Tensor
        Of the type and device of the tokens.
    """

    def __init__(self, longest: int, distilled: int, like: Tensor) -> None:
        super().__init__()
        lengths = list(range(longest + 1))
        for _ in range(distilled):
            longest = distilled_length(longest)
            lengths = [distilled_length(n) if n else 0 for n in lengths]
        self.lengths, self.longest = lengths, longest
        # Not of the tokens' type: bfloat16 cannot count beyond 256.
        self.register_buffer("counts", self.table(float, like.float()))
        self.register_buffer("inverses", self.table(lambda n: 1.0 / max(n, 1), like))

    def table(self, of: Callable[[int], float], like: Tensor) -> Tensor:
        """[N + 1, 1], a function of the length for every length at first."""
        return like.new_tensor([[of(n)] for n in self.lengths])

    def forward(self, first: Tensor) -> Rows:
        """From the lengths at first, [B]."""
        counts, inverses = self.get_buffer("counts"), self.get_buffer("inverses")
        return Rows(F.embedding(first, counts), F.embedding(first, inverses), self.longest)
