"""Distillation: ``Conv1d(k 3, stride 2, pad 1)(x) + MaxPool(k 3, stride 2, pad 1)(x)``.

Padding never enters: it is zero for the convolution and −∞ for the maximum, as at the ends. The
convolution is a linear map of three neighbouring tokens.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.stacked import StackedLinear, chosen

__all__ = ["Distil", "distilled_length"]


def distilled_length(length: int) -> int:
    """``⌊(L − 1) / 2⌋ + 1``: length after one distillation."""
    return (length - 1) // 2 + 1


class Distil(nn.Module):
    """Halve the tokens of G stacked modalities."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.conv = StackedLinear(members, 3 * width, width)

    def forward(self, x: Tensor, active: Tensor | None = None) -> Tensor:
        """[G, R, L, D] → [G, R, L', D]."""
        if x.shape[2] % 2 == 0:
            weight, bias = chosen(self.conv.weight, active), chosen(self.conv.bias, active)
            result: Tensor = _DistilPairs.apply(x, weight, bias)  # type: ignore[no-untyped-call]
            return result
        shorter = distilled_length(x.shape[2])
        largest = _neighbours(x, shorter, -math.inf)
        pooled = torch.maximum(torch.maximum(largest[0], largest[1]), largest[2])
        three = torch.cat(_neighbours(x, shorter, 0.0), dim=-1)
        mixed: Tensor = self.conv(three.flatten(1, 2), active).view(pooled.shape)
        return mixed + pooled


def _neighbours(x: Tensor, shorter: int, edge: float) -> list[Tensor]:
    """Left, middle and right token of every second position, each [G, R, L', D]."""
    padded = torch.nn.functional.pad(x, (0, 0, 1, 1), value=edge)
    return [padded[:, :, k : k + 2 * shorter - 1 : 2] for k in range(3)]


class _DistilPairs(torch.autograd.Function):
    """An even number of tokens: pairs of them are rows of 2 D, and nothing need be copied.

    Output k sees the pair k (its middle and right token) and the second token of pair k − 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        members, rows, length, width = x.shape
        shape = (members, rows, length // 2, width)
        pairs = x.reshape(members, -1, 2 * width)
        right = pairs[:, :, width:]
        out = torch.baddbmm(bias, pairs, weight[:, width:]).view(shape)
        out[:, :, 1:] += torch.bmm(right, weight[:, :width]).view(shape)[:, :, :-1]
        middle = pairs[:, :, :width].view(shape)
        pooled = torch.maximum(middle, right.view(shape))
        pooled[:, :, 1:] = torch.maximum(pooled[:, :, 1:], right.view(shape)[:, :, :-1])
        if any(ctx.needs_input_grad):
            from_middle = (pooled == middle).to(x.dtype)
            from_right = (pooled == right.view(shape)).to(x.dtype) * (1 - from_middle)
            ctx.save_for_backward(pairs, weight, from_middle, from_right)
        return out.add_(pooled)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pairs, weight, from_middle, from_right = ctx.saved_tensors
        shape = grad.shape
        members, _, _, width = shape
        flat = grad.reshape(members, -1, width)
        # Of the output that has this pair's second token on its left.
        later = torch.zeros_like(grad)
        later[:, :, :-1] = grad[:, :, 1:]
        to_pairs = torch.bmm(flat, weight[:, width:].transpose(1, 2))
        to_right = torch.bmm(later.view_as(flat), weight[:, :width].transpose(1, 2)).view(shape)
        middle, right = grad * from_middle, grad * from_right
        left = grad - middle - right
        to_right += right
        to_right[:, :, :-1] += left[:, :, 1:]
        to_pairs[:, :, :width] += middle.view_as(flat)
        to_pairs[:, :, width:] += to_right.view_as(flat)
        second = pairs[:, :, width:].transpose(1, 2)
        to_weight = torch.cat(
            [
                torch.bmm(second, later.view_as(flat)),
                torch.bmm(pairs.transpose(1, 2), flat),
            ],
            dim=1,
        )
        x_shape = (shape[0], shape[1], 2 * shape[2], width)
        return to_pairs.view(x_shape), to_weight, flat.sum(dim=1, keepdim=True)
