"""Fusion: sparse cross-modal attention over all present tokens, then experts (section 3.3–3.4)."""

from __future__ import annotations


import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.encoder import Distil, FeedForward
from maestro_ts.model.experts import Experts

__all__ = ["FusionLayer", "pack"]


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
        dropout: float,
    ) -> None:
        super().__init__()
        self.beta = beta
        self.attention = attention
        self.attention_norm = nn.LayerNorm(width)
        self.distil = Distil(width) if distil else None
        self.mixer = mixer
        self.mixer_norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Mix.

        Parameters
        ----------
        x : [B, L, D], real tokens first
        lengths : [B], int64

        Returns
        -------
        x : [B, L', D]; lengths : [B]; share : [B, E], each expert's share of tokens, or None
        """
        queries = self.beta * torch.ceil(torch.log(lengths.clamp(min=2).to(x.dtype)))
        x = self.attention_norm(x + self.attention(x, lengths, queries))
        if self.distil is not None:
            x = self.distil(x, _there(lengths, x.shape[1]))
            lengths = torch.div(lengths - 1, 2, rounding_mode="floor") + 1
        there = _there(lengths, x.shape[1])
        # Only real tokens reach the mixer: padding costs nothing and cannot load an expert.
        tokens = x[there]
        share = None
        if isinstance(self.mixer, Experts):
            mixed, chosen = self.mixer(tokens)
            mixed = self.dropout(mixed)
            if not self.training:
                share = _shares(chosen, there, self.mixer.settings.count)
        else:
            mixed = self.mixer(tokens)
        settled = self.mixer_norm(tokens + mixed)
        return x.new_zeros(x.shape).masked_scatter(there[..., None], settled), lengths, share


def _there(lengths: Tensor, length: int) -> Tensor:
    return torch.arange(length, device=lengths.device) < lengths[:, None]


def _shares(chosen: Tensor, there: Tensor, experts: int) -> Tensor:
    """Share of each window's tokens that each expert served, [B, E]."""
    owner = there.nonzero()[:, 0].repeat_interleave(chosen.shape[1])
    counts = torch.zeros(len(there) * experts, device=chosen.device)
    counts.index_add_(0, owner * experts + chosen.flatten(), torch.ones(chosen.numel(), device=chosen.device))
    counts = counts.view(len(there), experts)
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def pack(slots: Tensor) -> tuple[Tensor, Tensor]:
    """Move the used slots of each row to the left and cut what no row uses.

    Parameters
    ----------
    slots : [B, S], int64, on the CPU; −1 marks an unused slot

    Returns
    -------
    packed : [B, S'], unused entries 0; lengths : [B]
    """
    used = slots >= 0
    lengths = used.sum(dim=1)
    order = (~used).to(torch.uint8).argsort(dim=1, stable=True)
    longest = max(int(lengths.max()), 1) if len(lengths) else 1
    return slots.gather(1, order)[:, :longest].clamp(min=0), lengths


