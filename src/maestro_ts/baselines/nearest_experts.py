"""Sparse experts that are chosen by distance, with noise in training and a loss for unlike shares.

After Shazeer et al., ICLR 2017 (noisy choice, balance) and Han et al., NeurIPS 2024 (distances).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["NearestRouter"]

LEAST_NOISE = 1e-2


class NearestRouter(nn.Module):
    """Weights of the experts per token, 0 for all but the `chosen` nearest; ties: the first.

    Parameters
    ----------
    width, experts, chosen : int
    """

    def __init__(self, width: int, experts: int, chosen: int) -> None:
        super().__init__()
        self.chosen = chosen
        self.places = nn.Parameter(torch.randn(experts, width))
        self.noise = nn.Parameter(torch.zeros(width, experts))
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [..., D] and whether each is there, [...] → weights [..., E], balance loss."""
        apart = x[..., None, :] - self.places  # [..., E, D]
        clean = -(apart.square().sum(dim=-1) + 1e-12).sqrt()
        spread = F.softplus(x @ self.noise) + LEAST_NOISE
        scores = clean
        if self.training:
            drawn = torch.empty_like(clean).normal_(generator=self.generator)
            scores = clean + drawn * spread
        count = scores.shape[-1]
        ranked = scores.sort(dim=-1, descending=True, stable=True)
        top = ranked.indices[..., : self.chosen]
        kept = torch.zeros_like(scores).scatter(-1, top, 1.0).bool()
        weights = scores.masked_fill(~kept, -torch.inf).softmax(dim=-1)
        weights = torch.where(there[..., None], weights, 0.0)
        load = kept.to(scores.dtype)
        if self.training and self.chosen < count:
            # What a token's score had to pass: the best of the others.
            inside = ranked.values[..., self.chosen, None]
            outside = ranked.values[..., self.chosen - 1, None]
            bar = torch.where(kept, inside, outside)
            load = torch.special.ndtr((clean - bar) / spread)
        load = torch.where(there[..., None], load, 0.0)
        loss = unlike(weights.flatten(0, -2).sum(dim=0)) + unlike(load.flatten(0, -2).sum(dim=0))
        return weights, loss


def unlike(shares: Tensor) -> Tensor:
    """Squared coefficient of variation; 0 where all are alike, or nothing."""
    return shares.var() / (shares.mean().square() + 1e-10)
