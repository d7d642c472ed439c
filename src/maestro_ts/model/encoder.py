"""Encoder of one modality: sparse attention, distillation, feed-forward (MAESTRO section 3.2)."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.dropout import Dropout

__all__ = ["Distil", "Encoder", "FeedForward", "distilled_length"]


def distilled_length(length: int) -> int:
    """``⌊(L − 1) / 2⌋ + 1``: length after one distillation."""
    return (length - 1) // 2 + 1


class Distil(nn.Module):
    """``Conv1d(k 3, stride 2, pad 1)(x) + MaxPool(k 3, stride 2, pad 1)(x)``.

    Padding never enters: it is zero for the convolution and −∞ for the maximum, as at the ends.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, there: Tensor | None) -> Tensor:
        """[B, L, D] → [B, L', D]; `there` [B, L] marks real tokens."""
        x = x.transpose(1, 2)
        largest = x
        if there is not None:
            off = ~there[:, None]
            x, largest = x.masked_fill(off, 0.0), x.masked_fill(off, -math.inf)
        pooled = F.max_pool1d(largest, 3, stride=2, padding=1)
        if there is not None:
            pooled = pooled.masked_fill(pooled == -math.inf, 0.0)
        result: Tensor = (self.conv(x) + pooled).transpose(1, 2)
        return result


class FeedForward(nn.Module):
    """D → hidden → D with GELU."""

    def __init__(self, width: int, multiple: float, dropout: float) -> None:
        super().__init__()
        hidden = int(width * multiple)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), Dropout(dropout), nn.Linear(hidden, width)
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Token by token."""
        result: Tensor = self.dropout(self.layers(x))
        return result


class EncoderLayer(nn.Module):
    """``x ← LN(x + Attn(x, v))``, distil, ``x ← LN(x + FF(x))``."""

    def __init__(
        self, width: int, attention: Attention, *, distil: bool, multiple: float, dropout: float
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = nn.LayerNorm(width)
        self.distil = Distil(width) if distil else None
        self.feed_forward = FeedForward(width, multiple, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, queries: Tensor) -> Tensor:
        """[B, L, D] → [B, L', D]; every token is real."""
        x = self.attention_norm(x + self.attention(x, None, queries))
        if self.distil is not None:
            x = self.distil(x, None)
        result: Tensor = self.feed_forward_norm(x + self.feed_forward(x))
        return result


class Encoder(nn.Module):
    """The layers of one modality (or of all, when shared).

    Rows are windows that have the modality; an absent one has no row here.
    """

    def __init__(self, layers: list[EncoderLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, queries: list[Tensor]) -> Tensor:
        """[N, L, D] with the queries [N] of each layer → [N, L', D]."""
        for layer, v in zip(self.layers, queries, strict=True):
            x = layer(x, v)
        return x
