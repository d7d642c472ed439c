"""The mixture of experts token by token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["slow_experts"]


def slow_experts(
    x: Tensor,
    router: nn.Linear,
    experts: list[nn.Sequential],
    bias: Tensor,
    top_k: int,
) -> tuple[Tensor, list[list[int]]]:
    """Tokens [N, D] → outputs [N, out] and the chosen experts of each token, best first.

    Experts are chosen by softmax score + bias and weighted by the score alone.
    """
    outputs, chosen = [], []
    for token in x:
        logits = router.weight @ token + router.bias
        scores = torch.exp(logits - logits.max())
        scores = scores / scores.sum()
        ranked = sorted(range(len(experts)), key=lambda e: -float(scores[e] + bias[e]))[:top_k]
        first, _, second = experts[ranked[0]]
        total = torch.zeros(second.out_features, dtype=x.dtype)
        for e in ranked:
            first, _, second = experts[e]
            hidden = torch.clamp(first.weight @ token + first.bias, min=0.0)
            total = total + scores[e] * (second.weight @ hidden + second.bias)
        outputs.append(total)
        chosen.append(ranked)
    return torch.stack(outputs), chosen
