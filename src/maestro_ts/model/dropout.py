"""Dropout that draws from a given generator, so that a run can be repeated and resumed exactly."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.by_hand import apply

__all__ = ["Dropout", "dropped"]


class Dropout(nn.Module):
    """Zero entries with probability `p` in training and scale the rest; identity in evaluation.

    The probability is rounded to 1/256: eight entries share one 64-bit draw, which makes the
    draw several times cheaper than one per entry.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.threshold = round(p * 256)
        self.scale = 256.0 / (256 - self.threshold)
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        kept = self.draw(x.shape, x.device)
        if kept is None:
            return x
        return apply(_Drop, x, kept, self.scale)

    def draw(self, shape: torch.Size, device: torch.device) -> Tensor | None:
        """What is kept, 1 or 0 in a byte; None where all is: `scale` belongs to it."""
        if not self.training or self.threshold == 0:
            return None
        entries = shape.numel()
        words = torch.empty((entries + 7) // 8, dtype=torch.int64, device=device)
        words.random_(-(2**63), None, generator=self.generator)
        drawn = words.view(torch.uint8)[:entries].view(shape)
        # As bytes: PyTorch turns those into numbers six times faster than booleans.
        return (drawn >= self.threshold).view(torch.uint8)


def dropped(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    """``x · kept · scale`` in one pass after the bytes have become numbers."""
    numbers = kept.to(x.dtype)
    return torch.addcmul(x.new_zeros(()), numbers, x, value=scale, out=numbers)


class _Drop(torch.autograd.Function):
    """The gradient needs one byte an entry, not a number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return dropped(x, kept, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return dropped(grad, kept, ctx.scale), None, None
