"""Dropout that draws from a given generator, so that a run can be repeated and resumed exactly."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Dropout"]


class Dropout(nn.Module):
    """Zero entries with probability `p` in training and scale the rest; identity in evaluation.

    The probability is rounded to 1/256: eight entries share one 64-bit draw, which makes the
    draw several times cheaper than one per entry.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.threshold = round(p * 256)
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        if not self.training or self.threshold == 0:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self.generator)
        draws = words.view(torch.uint8)[: x.numel()].view(x.shape)
        kept = (draws >= self.threshold).to(x.dtype)
        return x * kept.mul_(256.0 / (256 - self.threshold))
