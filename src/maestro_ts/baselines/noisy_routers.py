"""Sparse experts chosen by noisy scores, and a loss for unlike shares.

After Shazeer et al., ICLR 2017 (noise, balance) and Han et al., NeurIPS 2024 (distances).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["LinearRouter", "NearestRouter", "unlike"]

LEAST_NOISE = 1e-2


class NoisyRouter(nn.Module, ABC):
    """Base: weights of the experts per token, 0 for all but the `chosen` best; ties: the first.

    Parameters
    ----------
    width, experts, chosen : int
    """

    def __init__(self, width: int, experts: int, chosen: int) -> None:
        super().__init__()
        self.chosen = chosen
        self.noise = nn.Parameter(torch.zeros(width, experts))
        self.generator: torch.Generator | None = None

    @abstractmethod
    def scores(self, x: Tensor) -> Tensor:
        """Tokens [..., D] → scores [..., E] without noise."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [..., D] → weights, chance to be chosen, and scores without noise, [..., E]."""
        clean = self.scores(x)
        spread = F.softplus(x @ self.noise) + LEAST_NOISE
        noisy = clean
        if self.training:
            noisy = clean + torch.empty_like(clean).normal_(generator=self.generator) * spread
        ranked = noisy.sort(dim=-1, descending=True, stable=True)
        best = ranked.indices[..., : self.chosen]
        kept = torch.zeros_like(noisy, dtype=torch.bool).scatter(-1, best, value=True)
        weights = noisy.masked_fill(~kept, -torch.inf).softmax(dim=-1)
        if not self.training or self.chosen == noisy.shape[-1]:
            return weights, kept.to(clean.dtype), clean
        # What a score has to pass: of a chosen one the best of the others, else the last chosen.
        first_out = ranked.values[..., self.chosen, None]
        last_in = ranked.values[..., self.chosen - 1, None]
        bar = torch.where(kept, first_out, last_in)
        return weights, torch.special.ndtr((clean - bar) / spread), clean


class LinearRouter(NoisyRouter):
    """Scores by a linear map without bias."""

    def __init__(self, width: int, experts: int, chosen: int) -> None:
        super().__init__(width, experts, chosen)
        self.linear = nn.Linear(width, experts, bias=False)

    def scores(self, x: Tensor) -> Tensor:
        """Tokens [..., D] → scores [..., E]."""
        result: Tensor = self.linear(x)
        return result


class NearestRouter(NoisyRouter):
    """Scores by the negative distance to a place of each expert."""

    def __init__(self, width: int, experts: int, chosen: int) -> None:
        super().__init__(width, experts, chosen)
        self.places = nn.Parameter(torch.randn(experts, width))

    def scores(self, x: Tensor) -> Tensor:
        """Tokens [..., D] → scores [..., E]."""
        apart = (x[..., None, :] - self.places).square().sum(dim=-1)
        return -(apart + 1e-12).sqrt()


def unlike(weights: Tensor, chances: Tensor, tokens: Tensor) -> Tensor:
    """Squared coefficients of variation of the experts' sums over the tokens that count.

    Parameters
    ----------
    weights, chances : [..., E]
    tokens : [...], bool
        None of them: 0.
    """
    total = weights.new_zeros(())
    for each in (weights, chances):
        shares = torch.where(tokens[..., None], each, 0.0).flatten(0, -2).sum(dim=0)
        total = total + shares.var() / (shares.mean().square() + 1e-10)
    return total
