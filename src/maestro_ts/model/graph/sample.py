"""What queries are scored on: a sample of tokens spread evenly over a row, less their mean.

The score ``max qk − mean qk`` is the largest product with keys less their mean key, and keys are
linear in the tokens: centring the sampled tokens is enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.attention import sampled_places

__all__ = ["FixedSample", "VaryingSample"]


class FixedSample(nn.Module):
    """Of rows of one length.

    Parameters
    ----------
    length, sampled : int
    like : Tensor
        Of the type and device of the tokens.
    """

    def __init__(self, length: int, sampled: int, like: Tensor) -> None:
        super().__init__()
        chosen = F.one_hot(sampled_places(length, sampled, like.device), length).to(like)
        self.register_buffer("matrix", chosen - chosen.mean(dim=0))
        self.matrix: Tensor

    def forward(self, x: Tensor, first: Tensor | None = None) -> Tensor:
        """[G, B, L, D] → [G, B, S, D]."""
        return self.matrix @ x


class VaryingSample(nn.Module):
    """Of rows of n ≤ N tokens, of a single member.

    Parameters
    ----------
    lengths : sequence of int
        n of the rows, for every length that they may have at first.
    sampled : int
    like : Tensor
        Of the type and device of the tokens.
    """

    def __init__(self, lengths: Sequence[int], sampled: int, like: Tensor) -> None:
        super().__init__()
        drawn = [sampled_places(max(n, 1), sampled, like.device) for n in lengths]
        # Short rows have fewer keys than the sample: their last one fills it and counts once.
        filled = [F.pad(p[None], (0, sampled - len(p)), mode="replicate")[0] for p in drawn]
        shares = [
            F.pad(torch.full((len(p),), 1.0 / len(p), dtype=like.dtype), (0, sampled - len(p)))
            for p in drawn
        ]
        self.register_buffer("places", torch.stack(filled).int().to(like.device))
        self.register_buffer("shares", torch.stack(shares).to(like))
        self.places: Tensor
        self.shares: Tensor

    def forward(self, x: Tensor, first: Tensor | None = None) -> Tensor:
        """[1, B, N, D] and lengths at first [B] → [1, B, S, D]."""
        assert first is not None
        _, batch, size, width = x.shape
        row = torch.arange(batch, device=x.device, dtype=torch.int32)[:, None] * size
        places = F.embedding(first, self.places) + row
        chosen = F.embedding(places, x.view(-1, width))[None]
        shares = F.embedding(first, self.shares)
        return chosen - shares[None, :, None] @ chosen
