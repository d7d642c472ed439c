"""Fusion: sparse cross-modal attention over all present tokens, then experts (section 3.3–3.4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.encoder import Distil, FeedForward
from maestro_ts.model.experts import Experts
from maestro_ts.model.spans import Spans

__all__ = ["FusionLayer", "reaches_all"]


class FusionLayer(nn.Module):
    """``x ← LN(x + Attn(x, β))``, distil, ``x ← LN(x + Experts(x))``.

    Parameters
    ----------
    width : int
    beta : float
        The fixed budget of the fusion: ``β ⌈ln n⌉`` queries of n present tokens.
    attention : Attention
    distil : bool
    mixer : Experts or FeedForward
    shared : FeedForward or None
        Serves every token besides the experts; its result is added to theirs.
    dropout : float
    """

    def __init__(
        self,
        width: int,
        beta: float,
        attention: Attention,
        *,
        distil: bool,
        mixer: Experts | FeedForward,
        shared: FeedForward | None = None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.beta = beta
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
        x : [B, L, D], real tokens first
        spans : Spans

        Returns
        -------
        x : [B, L', D]; spans; share : [B, E], each expert's share of tokens, or None
        """
        # In float32 whatever x is: bfloat16 rounds ln 149 down to 5.
        units = torch.ceil(torch.log(spans.lengths.clamp(min=2).float()))
        queries = self.beta * units.to(x.dtype)
        everyone = reaches_all(self.beta, spans)
        attended = self.attention(x[None], spans, queries[None], everyone=everyone)[0]
        x = self.attention_norm(x + attended)
        if self.distil is not None:
            x = self.distil(x[None], spans.there)[0]
            spans = spans.distilled()
        # Only real tokens reach the mixer: padding costs nothing and cannot load an expert.
        tokens = spans.gather(x)
        share = None
        if isinstance(self.mixer, Experts):
            mixed, chosen = self.mixer(tokens)
            mixed = self.dropout(mixed)
            if self.shared is not None:
                mixed = mixed + self.shared(tokens[None])[0]
            if not self.training:
                share = _shares(chosen, spans, self.mixer.settings.count)
        else:
            mixed = self.mixer(tokens[None])[0]
        return spans.scatter(self.mixer_norm(tokens + mixed)), spans, share


def reaches_all(beta: float, spans: Spans) -> bool:
    """Whether ``β ⌈ln n⌉`` queries are all n of every row: there is nothing to select then."""
    lengths = spans.host_lengths.clamp(min=2).float()
    return bool((beta * torch.ceil(torch.log(lengths)) >= spans.host_lengths).all())


def _shares(chosen: Tensor, spans: Spans, experts: int) -> Tensor:
    """Share of each window's tokens that each expert served, [B, E]."""
    rows = len(spans.host_lengths)
    owner = spans.owner.repeat_interleave(chosen.shape[1])
    cells = torch.bincount(owner * experts + chosen.flatten(), minlength=rows * experts)
    counts = cells.view(rows, experts).to(torch.get_default_dtype())
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
