"""Apply a function whose gradient is written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["apply"]


def apply(function: type[torch.autograd.Function], x: Tensor, *others: Any) -> Tensor:
    """The function as it stands: under autocast its gradient would meet numbers of two kinds."""
    with torch.autocast(x.device.type, enabled=False):
        result: Tensor = function.apply(x, *others)  # type: ignore[no-untyped-call]
    return result
