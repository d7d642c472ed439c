"""Layers for G modalities, each with weights of its own, over one run of rows.

Weights are stacked along a first axis G; rows of one member stand together, and `sizes` says how
many each has. A member without rows costs nothing, and nothing is padded to the longest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.by_hand import apply

__all__ = ["StackedLinear", "StackedNorm", "runs"]

SMALL = 2**15  # numbers of a member; below, one batched product beats a product each


def runs(sizes: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Each member that has rows, and which they are."""
    first = 0
    for member, size in enumerate(sizes):
        if size:
            yield member, slice(first, first + size)
        first += size


class StackedLinear(nn.Module):
    """G linear maps: [N, in] → [N, out], initialised like ``nn.Linear``."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """Each row by the weights of its member."""
        if len(sizes) == 1:
            return F.linear(x, self.weight[0].t(), self.bias[0, 0])
        if min(sizes) == max(sizes) and sizes[0] * self.weight.shape[2] < SMALL:
            stacked = x.view(len(sizes), sizes[0], -1)
            return torch.baddbmm(self.bias, stacked, self.weight).flatten(0, 1)
        return apply(_Linear, x.to(self.weight.dtype), self.weight, self.bias, sizes)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        out = x.new_empty(len(x), weight.shape[2])
        for g, rows in runs(sizes):
            torch.addmm(bias[g], x[rows], weight[g], out=out[rows])
        ctx.save_for_backward(x, weight)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous()
        to_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight)
        to_bias = weight.new_zeros(len(weight), 1, weight.shape[2])
        for g, rows in runs(ctx.sizes):
            if to_x is not None:
                torch.mm(grad[rows], weight[g].t(), out=to_x[rows])
            torch.mm(x[rows].t(), grad[rows], out=to_weight[g])
            torch.sum(grad[rows], dim=0, out=to_bias[g, 0])
        return to_x, to_weight, to_bias, None


class StackedNorm(nn.Module):
    """G layer norms over the last axis of [N, D]."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, 1, width))
        self.bias = nn.Parameter(torch.zeros(members, 1, width))

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """Same shape."""
        if len(sizes) == 1:
            return F.layer_norm(x, x.shape[-1:], self.weight[0, 0], self.bias[0, 0])
        normed = F.layer_norm(x, x.shape[-1:])
        if min(sizes) == max(sizes):
            stacked = normed.view(len(sizes), sizes[0], -1)
            return torch.addcmul(self.bias, stacked, self.weight).flatten(0, 1)
        return apply(_Scale, normed, self.weight, self.bias, sizes)


class _Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        out = torch.empty_like(x)
        for g, rows in runs(sizes):
            torch.addcmul(bias[g], x[rows], weight[g], out=out[rows])
        ctx.save_for_backward(x, weight)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        to_x = torch.empty_like(x)
        to_weight, to_bias = torch.zeros_like(weight), torch.zeros_like(weight)
        product = grad * x
        for g, rows in runs(ctx.sizes):
            torch.mul(grad[rows], weight[g], out=to_x[rows])
            torch.sum(product[rows], dim=0, out=to_weight[g, 0])
            torch.sum(grad[rows], dim=0, out=to_bias[g, 0])
        return to_x, to_weight, to_bias, None
