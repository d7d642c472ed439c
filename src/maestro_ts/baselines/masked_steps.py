"""Operations over time in which a step that is not there has no say.

Where `steps` is None every step is there, and nothing is spent on masks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["SameConv", "StepNorm", "kept", "masked_max", "masked_mean", "some_missing"]


def some_missing(steps: Tensor) -> Tensor | None:
    """The same mask, or None if every step of it is there."""
    return None if bool(steps.all()) else steps


def kept(x: Tensor, steps: Tensor | None) -> Tensor:
    """Zeros in [B, C, T] where a step of [B, T] is not there."""
    return x if steps is None else torch.where(steps[:, None], x, 0.0)


def masked_mean(x: Tensor, steps: Tensor | None) -> Tensor:
    """Mean of [B, C, T] over the steps that are there, [B, C]; 0 without any."""
    if steps is None:
        return x.mean(dim=2)
    return kept(x, steps).sum(dim=2) / steps.sum(dim=1, keepdim=True).clamp(min=1)


def masked_max(x: Tensor, steps: Tensor | None) -> Tensor:
    """Maximum of each step and its two neighbours, of those that are there, [B, C, T]."""
    if steps is None:
        return F.max_pool1d(x, 3, stride=1, padding=1)
    filled = x.masked_fill(~steps[:, None], -torch.inf)
    pooled = F.max_pool1d(filled, 3, stride=1, padding=1)
    return torch.where(pooled.isneginf(), 0.0, pooled)


class SameConv(nn.Conv1d):
    """Convolution without bias whose result is as long as its input; of even kernels more
    reaches to the right.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, bias=False)
        self.margins = ((kernel - 1) // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] → [B, C', T]."""
        return super().forward(F.pad(x, self.margins))


class StepNorm(nn.BatchNorm1d):
    """Batch norm over the steps that are there; 0 at the others.

    A batch with fewer than two steps says nothing of deviations and is normalised by what ran
    before.
    """

    def forward(self, x: Tensor, steps: Tensor | None = None) -> Tensor:
        """[B, C, T] → [B, C, T]."""
        if steps is None:
            return self._normed(x)
        rows = self._normed(x.transpose(1, 2)[steps])
        out = rows.new_zeros(x.shape[0], x.shape[2], x.shape[1])
        out[steps] = rows
        return out.transpose(1, 2)

    def _normed(self, x: Tensor) -> Tensor:
        training = self.training and x.numel() > x.shape[1]
        mean, variance = self.running_mean, self.running_var
        given = (mean, variance, self.weight, self.bias)
        return F.batch_norm(x, *given, training, self.momentum or 0.0, self.eps)
