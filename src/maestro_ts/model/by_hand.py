"""Apply a function whose gradient is written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["apply"]


class _NoGradient:
    """Stands for the context of a function of which no gradient will be asked."""

    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep nothing."""


def apply(function: type[torch.autograd.Function], x: Tensor, *others: Any) -> Tensor:
    """The function as it stands: under autocast its gradient would meet numbers of two kinds.

    Without gradients it is called as it is: `apply` would have it keep what only they need.
    """
    with torch.autocast(x.device.type, enabled=False):
        if not torch.is_grad_enabled():
            plain: Tensor = function.forward(_NoGradient(), x, *others)
            return plain
        result: Tensor = function.apply(x, *others)  # type: ignore[no-untyped-call]
    return result
