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

__all__ = ["StackedLinear", "StackedNorm", "add_to_members", "few", "linear", "of_members", "runs"]

EPSILON = 1e-5  # of layer norms
SMALL = 2**15  # numbers of a member; below, one batched product beats a product each


def runs(sizes: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Each member that has rows, and which they are."""
    first = 0
    for member, size in enumerate(sizes):
        if size:
            yield member, slice(first, first + size)
        first += size


def few(sizes: Sequence[int], width: int) -> list[int] | None:
    """Members that have rows, where all have the same number of rows and few: one batched product.

    Parameters
    ----------
    width : int
        Numbers that the product makes of a row.
    """
    members = [g for g, size in enumerate(sizes) if size]
    alike = {sizes[g] for g in members}
    return members if len(alike) == 1 and alike.pop() * width < SMALL else None


def of_members(weight: Tensor, members: list[int]) -> Tensor:
    """Weights of these members; all of them as they are."""
    return weight if len(members) == len(weight) else weight[members]


class StackedLinear(nn.Module):
    """G linear maps: [N, in] → [N, out], initialised like ``nn.Linear``."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """Each row by the weights of its member."""
        return linear(x, self.weight, self.bias, sizes)


def linear(x: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
    """Rows [N, in] by weights [G, in, out] and [G, 1, out] → [N, out]."""
    if len(sizes) == 1:
        return F.linear(x, weight[0].t(), bias[0, 0])
    members = few(sizes, weight.shape[2])
    if members is not None:
        stacked = x.view(len(members), -1, x.shape[1])
        return torch.baddbmm(
            of_members(bias, members), stacked, of_members(weight, members)
        ).flatten(0, 1)
    return apply(_Linear, x.to(weight.dtype), weight, bias, sizes)


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


def add_to_members(x: Tensor, table: Tensor, sizes: Sequence[int]) -> Tensor:
    """Rows [R, ...] plus what their member of [G, ...] adds to each."""
    if min(sizes) == max(sizes):
        return (x.view(len(sizes), sizes[0], *x.shape[1:]) + table[:, None]).flatten(0, 1)
    return torch.cat([x[rows] + table[g] for g, rows in runs(sizes)])


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
        return apply(_Norm, x.to(self.weight.dtype), self.weight, self.bias, sizes)


class _Norm(torch.autograd.Function):
    """Keeps its input and two numbers a row; composed, the normed rows would be kept as well."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        out, mean, rstd = torch.native_layer_norm(x, x.shape[-1:], None, None, EPSILON)
        if min(sizes) == max(sizes):
            stacked = out.view(len(sizes), sizes[0], -1)
            torch.addcmul(bias, stacked, weight, out=stacked)
        else:
            for g, rows in runs(sizes):
                torch.addcmul(bias[g], out[rows], weight[g], out=out[rows])
        ctx.save_for_backward(x, mean, rstd, weight, bias)
        ctx.sizes = sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, rstd, weight, bias = ctx.saved_tensors
        grad = grad.contiguous()
        to_x = torch.empty_like(x)
        to_weight, to_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        for g, rows in runs(ctx.sizes):
            to_x[rows], to_weight[g, 0], to_bias[g, 0] = torch.ops.aten.native_layer_norm_backward(
                grad[rows],
                x[rows],
                x.shape[-1:],
                mean[rows],
                rstd[rows],
                weight[g, 0],
                bias[g, 0],
                [True, True, True],
            )
        return to_x, to_weight, to_bias, None
