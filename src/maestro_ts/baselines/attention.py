"""Masked multi-head attention, the encoder layer around it, and positions by sine and cosine.

Vaswani et al., NeurIPS 2017. Keys that are not there get no weight, and a row without any key
gives 0: neither NaN nor an average of nothing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.baselines.dropout import Dropout

__all__ = ["Attention", "EncoderLayer", "sine_positions"]


class Attention(nn.Module):
    """Attention of all tokens of a row to those that are there; ``4 (D² + D)`` parameters."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Tokens [B, L, D] and whether each is there, [B, L] → [B, L, D]."""
        q, k, v = (self._by_head(part) for part in self.project(x).chunk(3, dim=-1))
        some = there.any(dim=1)
        # A row without keys attends to all of them, and what comes of it is dropped.
        keys = there | ~some[:, None]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=keys[:, None, None, :])
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return torch.where(some[:, None, None], result, 0.0)

    def _by_head(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class EncoderLayer(nn.Module):
    """Attention, then two linear maps per token, each with a residual and a layer norm.

    Parameters
    ----------
    width, hidden, heads : int
    dropout : float
        After attention, and after either linear map.
    norm_first : bool
        Normalise what enters a part, instead of the sum that leaves it.
    """

    def __init__(
        self, width: int, hidden: int, heads: int, dropout: float, *, norm_first: bool = True
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.attention = Attention(width, heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), Dropout(dropout), nn.Linear(hidden, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Tokens [B, L, D] and whether each is there, [B, L] → [B, L, D]."""
        first, second = self.norms
        if self.norm_first:
            x = x + self.dropout(self.attention(first(x), there))
            result: Tensor = x + self.dropout(self.feed_forward(second(x)))
            return result
        x = first(x + self.dropout(self.attention(x, there)))
        result = second(x + self.dropout(self.feed_forward(x)))
        return result


def sine_positions(times: Tensor, width: int) -> Tensor:
    """Sines and cosines in turn of times [L], in steps, at falling frequencies: [L, D]."""
    pairs = torch.arange((width + 1) // 2, dtype=times.dtype)
    angles = times[:, None] * torch.exp(-math.log(10000.0) * 2 * pairs / width)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]
