"""`Runner`: an exported file in the runtime that executes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

__all__ = ["Runner"]

Runner = Callable[[Sequence[Tensor]], Tensor]  # inputs in the order of the file → logits [B, K]
