"""Layers for G modalities at once: one batched product instead of G small ones.

Weights are stacked along a first axis G. `active` selects the members that have rows, so that
an absent modality costs nothing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["StackedLinear", "StackedNorm", "chosen"]


class StackedLinear(nn.Module):
    """G linear maps: [G, N, in] → [G, N, out], initialised like ``nn.Linear``."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, active: Tensor | None = None) -> Tensor:
        """One product per member."""
        weight, bias = chosen(self.weight, active), chosen(self.bias, active)
        if len(weight) == 1:
            return F.linear(x, weight[0].t(), bias[0, 0])
        return torch.baddbmm(bias, x, weight)


class StackedNorm(nn.Module):
    """G layer norms over the last axis of [G, N, D]."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, 1, width))
        self.bias = nn.Parameter(torch.zeros(members, 1, width))

    def forward(self, x: Tensor, active: Tensor | None = None) -> Tensor:
        """Same shape."""
        weight, bias = chosen(self.weight, active), chosen(self.bias, active)
        if len(weight) == 1:
            return F.layer_norm(x, x.shape[-1:], weight[0, 0], bias[0, 0])
        return torch.addcmul(bias, F.layer_norm(x, x.shape[-1:]), weight)


def chosen(stacked: Tensor, active: Tensor | None) -> Tensor:
    """Members `active` of stacked weights; None: all."""
    return stacked if active is None else stacked[active]
