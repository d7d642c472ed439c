"""Feed-forward layer of stacked modalities, with a gradient that keeps one hidden tensor."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from maestro_ts.model.dropout import Dropout
from maestro_ts.model.stacked import StackedLinear, chosen

__all__ = ["FeedForward"]


class FeedForward(nn.Module):
    """D → hidden → D with GELU, stacked."""

    def __init__(self, members: int, width: int, multiple: float, dropout: float) -> None:
        super().__init__()
        hidden = int(width * multiple)
        self.rise = StackedLinear(members, width, hidden)
        self.fall = StackedLinear(members, hidden, width)
        self.inner, self.outer = Dropout(dropout), Dropout(dropout)

    def forward(self, x: Tensor, active: Tensor | None = None) -> Tensor:
        """[G, N, D] → [G, N, D], token by token."""
        weights = (self.rise.weight, self.rise.bias, self.fall.weight, self.fall.bias)
        hidden = torch.Size((*x.shape[:2], self.rise.weight.shape[2]))
        kept = self.inner.draw(hidden, x.device)
        result: Tensor = _RiseAndFall.apply(  # type: ignore[no-untyped-call]
            x, *(chosen(w, active) for w in weights), kept, self.inner.scale
        )
        dropped: Tensor = self.outer(result)
        return dropped


class _RiseAndFall(torch.autograd.Function):
    """One member at a time, so that its hidden numbers are still in the cache when they fall.

    The gradient computes the hidden activation anew instead of keeping it and its masks.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        rise: Tensor,
        rise_bias: Tensor,
        fall: Tensor,
        fall_bias: Tensor,
        kept: Tensor | None,
        scale: float,
    ) -> Tensor:
        learns = any(ctx.needs_input_grad)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        hidden = []
        for g in range(len(x)):
            risen = torch.addmm(rise_bias[g], x[g], rise[g])
            active = _activated(risen, None if kept is None else kept[g], scale)
            torch.addmm(fall_bias[g], active, fall[g], out=out[g])
            if learns:
                hidden.append(risen)
        if learns:
            ctx.save_for_backward(x, rise, fall, kept, *hidden)
            ctx.scale = scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, rise, fall, kept, *hidden = ctx.saved_tensors
        grad = grad.contiguous()
        to_x = torch.empty_like(grad)
        to_rise, to_fall = torch.empty_like(rise), torch.empty_like(fall)
        to_rise_bias = rise.new_empty(len(rise), 1, rise.shape[2])
        for g, risen in enumerate(hidden):
            mask = None if kept is None else kept[g]
            active = _activated(risen, mask, ctx.scale)
            torch.mm(active.t(), grad[g], out=to_fall[g])
            to_active = torch.mm(grad[g], fall[g].t())
            if mask is not None:
                to_active.mul_(mask.to(grad.dtype)).mul_(ctx.scale)
            to_risen = torch.ops.aten.gelu_backward(to_active, risen)
            torch.mm(x[g].t(), to_risen, out=to_rise[g])
            torch.mm(to_risen, rise[g].t(), out=to_x[g])
            to_rise_bias[g, 0] = to_risen.sum(dim=0)
        to_fall_bias = grad.sum(dim=1, keepdim=True)
        return to_x, to_rise, to_rise_bias, to_fall, to_fall_bias, None, None


def _activated(risen: Tensor, kept: Tensor | None, scale: float) -> Tensor:
    active = F.gelu(risen)
    return active if kept is None else active.mul_(kept.to(active.dtype)).mul_(scale)
