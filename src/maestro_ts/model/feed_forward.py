"""Feed-forward layer of stacked modalities, with a gradient that keeps no hidden numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.by_hand import apply
from maestro_ts.model.dropout import Dropout, dropped
from maestro_ts.model.stacked import StackedLinear, few, runs

__all__ = ["FeedForward"]


class FeedForward(nn.Module):
    """D → hidden → D with GELU, stacked."""

    def __init__(self, members: int, width: int, multiple: float, dropout: float) -> None:
        super().__init__()
        hidden = int(width * multiple)
        self.rise = StackedLinear(members, width, hidden)
        self.fall = StackedLinear(members, hidden, width)
        self.inner, self.outer = Dropout(dropout), Dropout(dropout)

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """[N, D] → [N, D], token by token; `sizes` are the tokens N of each member."""
        if few(sizes, self.rise.weight.shape[2]) is not None:
            active = self.inner(F.gelu(self.rise(x, sizes)))
            fed: Tensor = self.outer(self.fall(active, sizes))
            return fed
        weights = (self.rise.weight, self.rise.bias, self.fall.weight, self.fall.bias)
        kept = self.inner.draw(torch.Size((len(x), self.rise.weight.shape[2])), x.device)
        x = x.to(self.rise.weight.dtype)
        result = apply(_RiseAndFall, x, *weights, sizes, kept, self.inner.scale)
        dropped: Tensor = self.outer(result)
        return dropped


class _RiseAndFall(torch.autograd.Function):
    """One member at a time, so that its hidden numbers are still in the cache when they fall.

    The gradient computes the hidden numbers anew instead of keeping four times the input.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        rise: Tensor,
        rise_bias: Tensor,
        fall: Tensor,
        fall_bias: Tensor,
        sizes: Sequence[int],
        kept: Tensor | None,
        scale: float,
    ) -> Tensor:
        out = torch.empty_like(x)
        for g, rows in runs(sizes):
            risen = torch.addmm(rise_bias[g], x[rows], rise[g])
            active = _activated(risen, None if kept is None else kept[rows], scale)
            torch.addmm(fall_bias[g], active, fall[g], out=out[rows])
        ctx.save_for_backward(x, rise, rise_bias, fall, kept)
        ctx.sizes, ctx.scale = sizes, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, rise, rise_bias, fall, kept = ctx.saved_tensors
        grad = grad.contiguous()
        to_x = torch.empty_like(grad)
        to_rise, to_fall = torch.zeros_like(rise), torch.zeros_like(fall)
        to_rise_bias = rise.new_zeros(len(rise), 1, rise.shape[2])
        to_fall_bias = fall.new_zeros(len(fall), 1, fall.shape[2])
        for g, rows in runs(ctx.sizes):
            risen = torch.addmm(rise_bias[g], x[rows], rise[g])
            mask = None if kept is None else kept[rows]
            active = _activated(risen, mask, ctx.scale)
            torch.mm(active.t(), grad[rows], out=to_fall[g])
            torch.sum(grad[rows], dim=0, out=to_fall_bias[g, 0])
            to_active = torch.mm(grad[rows], fall[g].t())
            if mask is not None:
                to_active = dropped(to_active, mask, ctx.scale)
            to_risen = torch.ops.aten.gelu_backward(to_active, risen)
            torch.mm(x[rows].t(), to_risen, out=to_rise[g])
            torch.mm(to_risen, rise[g].t(), out=to_x[rows])
            torch.sum(to_risen, dim=0, out=to_rise_bias[g, 0])
        return to_x, to_rise, to_rise_bias, to_fall, to_fall_bias, None, None, None


def _activated(risen: Tensor, kept: Tensor | None, scale: float) -> Tensor:
    active = F.gelu(risen)
    return active if kept is None else dropped(active, kept, scale)
