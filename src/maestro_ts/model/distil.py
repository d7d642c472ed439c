"""Distillation: ``Conv1d(k 3, stride 2, pad 1)(x) + MaxPool(k 3, stride 2, pad 1)(x)``.

Padding never enters: it is zero for the convolution and −∞ for the maximum, as at the ends. The
convolution is a linear map of three neighbouring tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.by_hand import apply
from maestro_ts.model.stacked import StackedLinear, few, of_members, runs

__all__ = ["Distil", "distilled_length"]


def distilled_length(length: int) -> int:
    """``⌊(L − 1) / 2⌋ + 1``: length after one distillation."""
    return (length - 1) // 2 + 1


class Distil(nn.Module):
    """Halve the tokens of G stacked modalities."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.conv = StackedLinear(members, 3 * width, width)

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """[R, L, D] → [R, L', D]; `sizes` are the rows R of each member."""
        if x.shape[1] % 2 == 0:
            weight = self.conv.weight
            return apply(_DistilPairs, x.to(weight.dtype), weight, self.conv.bias, sizes)
        shorter = distilled_length(x.shape[1])
        largest = _neighbours(x, shorter, -math.inf)
        pooled = torch.maximum(torch.maximum(largest[0], largest[1]), largest[2])
        three = torch.cat(_neighbours(x, shorter, 0.0), dim=-1)
        tokens = [size * shorter for size in sizes]
        mixed: Tensor = self.conv(three.flatten(0, 1), tokens).view(pooled.shape)
        return mixed + pooled


def _neighbours(x: Tensor, shorter: int, edge: float) -> list[Tensor]:
    """Left, middle and right token of every second position, each [R, L', D]."""
    padded = torch.nn.functional.pad(x, (0, 0, 1, 1), value=edge)
    return [padded[:, k : k + 2 * shorter - 1 : 2] for k in range(3)]


class _DistilPairs(torch.autograd.Function):
    """An even number of tokens: pairs of them are rows of 2 D, and nothing need be copied.

    Output k sees the pair k (its middle and right token) and the second token of pair k − 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, sizes: Sequence[int]) -> Tensor:
        rows, length, width = x.shape
        shape = (rows, length // 2, width)
        pairs = x.reshape(-1, 2 * width)
        right = pairs[:, width:]
        tokens = [size * shape[1] for size in sizes]
        members = few(tokens, width)
        if members is not None:
            stacked = pairs.view(len(members), -1, 2 * width)
            w, b = of_members(weight, members), of_members(bias, members)
            out = torch.baddbmm(b, stacked, w[:, width:]).view(shape)
            left = torch.bmm(stacked[:, :, width:], w[:, :width]).view(shape)
        else:
            out, left = x.new_empty(shape), x.new_empty(shape)
            for g, some in runs(tokens):
                torch.addmm(bias[g], pairs[some], weight[g, width:], out=out.view(-1, width)[some])
                torch.mm(right[some], weight[g, :width], out=left.view(-1, width)[some])
        out[:, 1:] += left[:, :-1]
        middle = pairs[:, :width].view(shape)
        pooled = torch.maximum(middle, right.view(shape))
        pooled[:, 1:] = torch.maximum(pooled[:, 1:], right.view(shape)[:, :-1])
        if any(ctx.needs_input_grad):
            from_middle = (pooled == middle).view(torch.uint8)
            from_right = (pooled == right.view(shape)).view(torch.uint8) & ~from_middle
            ctx.save_for_backward(pairs, weight, from_middle, from_right)
            ctx.sizes = sizes
        return out.add_(pooled)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        pairs, weight, from_middle, from_right = ctx.saved_tensors
        grad = grad.contiguous()
        shape = grad.shape
        rows, shorter, width = shape
        flat = grad.view(-1, width)
        # Of the output that has this pair's second token on its left.
        later = torch.zeros_like(grad)
        later[:, :-1] = grad[:, 1:]
        later_flat = later.view(-1, width)
        to_pairs = torch.empty_like(pairs)
        to_right = torch.empty_like(grad)
        to_weight, to_bias = torch.zeros_like(weight), weight.new_zeros(len(weight), 1, width)
        for g, some in runs([size * shorter for size in ctx.sizes]):
            torch.mm(flat[some], weight[g, width:].t(), out=to_pairs[some])
            torch.mm(later_flat[some], weight[g, :width].t(), out=to_right.view(-1, width)[some])
            torch.mm(pairs[some, width:].t(), later_flat[some], out=to_weight[g, :width])
            torch.mm(pairs[some].t(), flat[some], out=to_weight[g, width:])
            torch.sum(flat[some], dim=0, out=to_bias[g, 0])
        middle = grad * from_middle.to(grad.dtype)
        right = grad * from_right.to(grad.dtype)
        left = grad - middle - right
        to_right += right
        to_right[:, :-1] += left[:, 1:]
        to_pairs[:, :width] += middle.view_as(flat)
        to_pairs[:, width:] += to_right.view_as(flat)
        return to_pairs.view(rows, 2 * shorter, width), to_weight, to_bias, None
