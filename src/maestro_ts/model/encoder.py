"""Encoders: sparse attention, distillation, feed-forward per modality (MAESTRO section 3.2).

The encoders of all modalities of one token length run together, stacked (`stacked`). Rows are
windows that have the modality; an absent one has no row here.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.stacked import StackedLinear, StackedNorm

__all__ = ["Distil", "EncoderLayer", "FeedForward", "distilled_length"]


def distilled_length(length: int) -> int:
    """``⌊(L − 1) / 2⌋ + 1``: length after one distillation."""
    return (length - 1) // 2 + 1


class Distil(nn.Module):
    """``Conv1d(k 3, stride 2, pad 1)(x) + MaxPool(k 3, stride 2, pad 1)(x)``.

    Padding never enters: it is zero for the convolution and −∞ for the maximum, as at the ends.
    The convolution is a linear map of three neighbouring tokens.
    """

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.conv = StackedLinear(members, 3 * width, width)

    def forward(self, x: Tensor, there: Tensor | None, active: Tensor | None = None) -> Tensor:
        """[G, R, L, D] → [G, R, L', D]; `there` [R, L] marks real tokens."""
        shorter = distilled_length(x.shape[2])
        if there is not None:
            x = x.masked_fill(~there[:, :, None], 0.0)
            outside = torch.where(there, 0.0, -math.inf).to(x.dtype)[:, :, None]
            largest = self._neighbours(x + outside, shorter, -math.inf)
        else:
            largest = self._neighbours(x, shorter, -math.inf)
        pooled = torch.maximum(torch.maximum(largest[0], largest[1]), largest[2])
        if there is not None:
            pooled = pooled.masked_fill(pooled == -math.inf, 0.0)
        three = torch.cat(self._neighbours(x, shorter, 0.0), dim=-1)
        mixed: Tensor = self.conv(three.flatten(1, 2), active).view(pooled.shape)
        return mixed + pooled

    @staticmethod
    def _neighbours(x: Tensor, shorter: int, edge: float) -> list[Tensor]:
        """Left, middle and right token of every second position, each [G, R, L', D]."""
        padded = torch.nn.functional.pad(x, (0, 0, 1, 1), value=edge)
        return [padded[:, :, k : k + 2 * shorter - 1 : 2] for k in range(3)]


class FeedForward(nn.Module):
    """D → hidden → D with GELU, stacked."""

    def __init__(self, members: int, width: int, multiple: float, dropout: float) -> None:
        super().__init__()
        hidden = int(width * multiple)
        self.rise = StackedLinear(members, width, hidden)
        self.fall = StackedLinear(members, hidden, width)
        self.inner, self.outer = Dropout(dropout), Dropout(dropout)

    def forward(self, x: Tensor, active: Tensor | None = None) -> Tensor:
        """[G, N, D] → [G, N, D], token by token."""
        risen = self.inner(torch.nn.functional.gelu(self.rise(x, active)))
        result: Tensor = self.outer(self.fall(risen, active))
        return result


class EncoderLayer(nn.Module):
    """``x ← LN(x + Attn(x, v))``, distil, ``x ← LN(x + FF(x))`` for G modalities."""

    def __init__(
        self,
        members: int,
        width: int,
        attention: Attention,
        *,
        distil: bool,
        multiple: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = StackedNorm(members, width)
        self.distil = Distil(members, width) if distil else None
        self.feed_forward = FeedForward(members, width, multiple, dropout)
        self.feed_forward_norm = StackedNorm(members, width)

    def forward(self, x: Tensor, queries: Tensor, active: Tensor | None) -> Tensor:
        """[G, R, L, D] with queries [G, R] → [G, R, L', D]; every token is real."""
        members, rows, _, width = x.shape
        attended = x + self.attention(x, None, queries, active)
        x = self.attention_norm(attended.flatten(1, 2), active).view(x.shape)
        if self.distil is not None:
            x = self.distil(x, None, active)
        tokens = x.reshape(members, -1, width)
        settled = self.feed_forward_norm(tokens + self.feed_forward(tokens, active), active)
        result: Tensor = settled.view(members, rows, -1, width)
        return result
