"""The joint answer of several classifiers: the log of the mean of their probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["joint_answer"]

FLOOR = 1e-12


def joint_answer(members: Tensor, there: Tensor | None = None) -> Tensor:
    """Logits [B, K] of the members [S, B, K] that are there, [S, B].

    Where nobody is there all classes are alike. A single output is a number, and its mean is
    the plain one.
    """
    single = members.shape[2] == 1
    answers = members if single else members.softmax(dim=2)
    if there is None:
        mean = answers.mean(dim=0)
    else:
        share = there.to(answers.dtype) / there.sum(dim=0).clamp(min=1)
        mean = (answers * share[..., None]).sum(dim=0)
    return mean if single else torch.log(mean + FLOOR)
