"""Encoders: sparse attention, distillation, feed-forward per modality (MAESTRO section 3.2).

The encoders of all modalities of one token length run together (`stacked`). Rows are windows that
have the modality; an absent one has no row here.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.distil import Distil
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.stacked import StackedNorm

__all__ = ["EncoderLayer"]


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

    def forward(self, x: Tensor, queries: Tensor, sizes: Sequence[int]) -> Tensor:
        """[R, L, D] with queries [R] → [R, L', D]; `sizes` are the rows R of each member."""
        x = x + self.attention(x, queries, sizes)
        x = self._normed(self.attention_norm, x, sizes)
        if self.distil is not None:
            x = self.distil(x, sizes)
        tokens = [size * x.shape[1] for size in sizes]
        fed = self.feed_forward(x.flatten(0, 1), tokens).view(x.shape)
        return self._normed(self.feed_forward_norm, x + fed, sizes)

    @staticmethod
    def _normed(norm: StackedNorm, x: Tensor, sizes: Sequence[int]) -> Tensor:
        tokens = [size * x.shape[1] for size in sizes]
        result: Tensor = norm(x.flatten(0, 1), tokens).view(x.shape)
        return result
