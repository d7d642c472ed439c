"""Dropout that draws from the generator of the training, so that a rival's run can be repeated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Dropout"]


class Dropout(nn.Module):
    """Zero entries with probability `p` in training and scale the rest; identity in evaluation."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        if not self.training or self.p == 0.0:
            return x
        share = 1.0 - self.p
        return x * torch.empty_like(x).bernoulli_(share, generator=self.generator).div_(share)
