"""`Output`: what every network returns; fields a model has no use for stay None."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Output"]


@dataclass(frozen=True)
class Output:
    """Logits, and what explains them.

    Attributes
    ----------
    logits : Tensor, ``[B, K]``
    aux_loss : Tensor, scalar, or None
        Already weighted; training only. Never influences the logits.
    budgets : Tensor, ``[B, M]``, or None
        Budget of every modality, 0 where absent.
    expert_share : Tensor, ``[B, layers, E]``, or None
        Share of a window's tokens that each expert served.
    tokens : Tensor, ``[B]``, int64, or None
        Length of the fused sequence.
    members : Tensor, ``[S, B, K]``, or None
        Logits of the networks whose joint answer `logits` are: each is trained by its own.
    """

    logits: Tensor
    aux_loss: Tensor | None = None
    budgets: Tensor | None = None
    expert_share: Tensor | None = None
    tokens: Tensor | None = None
    members: Tensor | None = None
