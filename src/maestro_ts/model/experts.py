"""Sparse mixture of experts: softmax router, top-k, no auxiliary loss (MAESTRO section 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.recipe import ExpertSettings

__all__ = ["Experts"]


class Experts(nn.Module):
    """Output = Σ over the top-k experts of (softmax weight · expert(x)).

    With ``balance: loss_free`` (Wang et al. 2024) tokens are routed on score + bias and weighted
    by score; after each step an overloaded expert's bias falls. No gradient moves the biases.

    Parameters
    ----------
    width, out : int
    settings : ExpertSettings
    """

    def __init__(self, width: int, out: int, settings: ExpertSettings) -> None:
        super().__init__()
        self.settings, self.out = settings, out
        hidden = int(width * settings.hidden_multiple)
        self.router = nn.Linear(width, settings.count)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out))
            for _ in range(settings.count)
        )
        self.register_buffer("bias", torch.zeros(settings.count))
        self.register_buffer("load", torch.zeros(settings.count), persistent=False)
        self.bias: Tensor
        self.load: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [N, D] → ([N, out], chosen [N, k] int64). Padding must not be among them."""
        scores = self.router(x).softmax(dim=-1)
        chosen = (scores.detach() + self.bias).topk(self.settings.top_k, dim=-1).indices
        weights = scores.gather(-1, chosen)
        # Sorted by expert each one serves a contiguous run: two gathers instead of two per expert.
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=self.settings.count)
        tokens = x.index_select(0, order // self.settings.top_k)
        runs = torch.split(tokens, counts.tolist())
        served = torch.cat([expert(run) for expert, run in zip(self.experts, runs, strict=True)])
        back = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=x.device))
        slots = served.index_select(0, back).view(len(x), self.settings.top_k, self.out)
        result = (slots * weights[..., None]).sum(dim=1)
        if self.training and self.settings.balance == "loss_free":
            self.load += counts
        return result, chosen

    def after_step(self) -> None:
        """``b_e += γ · sign(mean load − load_e)`` (loss-free balance)."""
        if self.settings.balance == "loss_free":
            self.bias += self.settings.balance_rate * torch.sign(self.load.mean() - self.load)
            self.load.zero_()
