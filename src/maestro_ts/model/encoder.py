"""Encoders: sparse attention, distillation, feed-forward per modality (MAESTRO section 3.2).

The encoders of all modalities of one token length run together, stacked (`stacked`). Rows are
windows that have the modality; an absent one has no row here.
"""

from __future__ import annotations

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

    def forward(self, x: Tensor, queries: Tensor, active: Tensor | None) -> Tensor:
        """[G, R, L, D] with queries [G, R] → [G, R, L', D]; every token is real."""
        members, rows, _, width = x.shape
        attended = x + self.attention(x, queries, active)
        x = self.attention_norm(attended.flatten(1, 2), active).view(x.shape)
        if self.distil is not None:
            x = self.distil(x, active)
        tokens = x.reshape(members, -1, width)
        settled = self.feed_forward_norm(tokens + self.feed_forward(tokens, active), active)
        result: Tensor = settled.view(members, rows, -1, width)
        return result
