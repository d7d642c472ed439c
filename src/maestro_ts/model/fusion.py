"""Fusion: sparse cross-modal attention over all present tokens, then experts (section 3.3–3.4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.distil import Distil
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.experts import Experts
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.spans import Spans

__all__ = ["FusionLayer"]


class FusionLayer(nn.Module):
    """``x ← LN(x + Attn(x, β))``, distil, ``x ← LN(x + Experts(x))``.

    Parameters
    ----------
    width : int
    attention : Attention
        Its β is the fixed budget of the fusion: ``β ⌈ln n⌉`` queries of n present tokens.
    distil : bool
    mixer : Experts or FeedForward
    shared : FeedForward or None
        Serves every token besides the experts; its result is added to theirs.
    dropout : float
    """

    def __init__(
        self,
        width: int,
        attention: Attention,
        *,
        distil: bool,
        mixer: Experts | FeedForward,
        shared: FeedForward | None = None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = nn.LayerNorm(width)
        self.distil = Distil(1, width) if distil else None
        self.mixer, self.shared = mixer, shared
        self.mixer_norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, spans: Spans) -> tuple[Tensor, Spans, Tensor | None]:
        """Mix.

        Parameters
        ----------
        x : [N, D], the tokens of all windows
        spans : Spans

        Returns
        -------
        x : [N', D]; spans; share : [B, E], each expert's share of tokens, or None
        """
        x = self.attention_norm(x + self.attention.over(x, spans))
        if self.distil is not None:
            shorter = [self.distil(block.of(x), [block.rows]) for block in spans.blocks]
            x = torch.cat([part.flatten(0, 1) for part in shorter])
            spans = spans.distilled()
        share = None
        if isinstance(self.mixer, Experts):
            mixed, chosen = self.mixer(x)
            mixed = self.dropout(mixed)
            if self.shared is not None:
                mixed = mixed + self.shared(x, [len(x)])
            if not self.training:
                share = _shares(chosen, spans, self.mixer.settings.count)
        else:
            mixed = self.mixer(x, [len(x)])
        return self.mixer_norm(x + mixed), spans, share


def _shares(chosen: Tensor, spans: Spans, experts: int) -> Tensor:
    """Share of each window's tokens that each expert served, [B, E]."""
    rows = len(spans.order)
    owner = spans.owner.repeat_interleave(chosen.shape[1])
    cells = torch.bincount(owner * experts + chosen.flatten(), minlength=rows * experts)
    counts = cells.view(rows, experts).to(torch.get_default_dtype())
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
