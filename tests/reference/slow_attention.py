"""Sparse attention and distillation as obvious loops in float64, one row, head and query at a time.

Written from the method's formulas, not from the library's code; only weights are shared.
"""

from __future__ import annotations

import math
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["sampled_places", "slow_attention", "slow_distil", "slow_feed_forward", "slow_weight"]


def sampled_places(n: int, count: int) -> list[int]:
    """The middle of each of `count` equal strata of n keys; all where there are no more."""
    if n <= count:
        return list(range(n))
    return [math.floor(Fraction(2 * j + 1, 2) * n / count) for j in range(count)]


def slow_weight(v: float, rank: int) -> float:
    """``clip(v − r, 0, 1)``."""
    return min(max(v - rank, 0.0), 1.0)


def slow_attention(
    x: Tensor,
    v_queries: float,
    project: tuple[Tensor, Tensor],
    out: tuple[Tensor, Tensor],
    heads: int,
    sampled: int,
) -> Tensor:
    """One row of real tokens [n, D] → [n, D].

    Parameters
    ----------
    v_queries : float
        Real number of attended queries.
    project, out : weight [in, out] and bias [out]
    sampled : int
        Keys that a query is scored on.
    """
    n, width = x.shape
    size = width // heads
    packed = x @ project[0] + project[1]
    places = sampled_places(n, sampled)
    mixed = torch.zeros(n, width, dtype=x.dtype)
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        q = packed[:, :width][:, part]
        k = packed[:, width : 2 * width][:, part]
        v = packed[:, 2 * width :][:, part]
        mean = sum(v[j] for j in range(n)) / n
        score = []
        for i in range(n):
            products = [float(q[i] @ k[j]) for j in places]
            score.append(max(products) - sum(products) / len(products))
        order = sorted(range(n), key=lambda i: -score[i])
        for rank, i in enumerate(order):
            weights = [math.exp(float(q[i] @ k[j]) / math.sqrt(size)) for j in range(n)]
            attended = sum(weights[j] * v[j] for j in range(n)) / sum(weights)
            w = slow_weight(v_queries, rank)
            mixed[i, part] = w * attended + (1.0 - w) * mean
    return mixed @ out[0] + out[1]


def slow_distil(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """One row [n, D] → [⌊(n − 1) / 2⌋ + 1, D] with PyTorch's own convolution and maximum.

    Parameters
    ----------
    weight : [3 D, D]
        Left, middle and right neighbour, one below the other.
    """
    width = x.shape[1]
    conv = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1, dtype=x.dtype)
    with torch.no_grad():
        for place in range(3):
            conv.weight[:, :, place] = weight[place * width : (place + 1) * width].T
        conv.bias.copy_(bias)  # type: ignore[union-attr]
        pool = nn.MaxPool1d(kernel_size=3, stride=2, padding=1)
        turned = x.T[None]
        return (conv(turned) + pool(turned))[0].T


def slow_feed_forward(
    x: Tensor, rise: tuple[Tensor, Tensor], fall: tuple[Tensor, Tensor]
) -> Tensor:
    """``W₂ GELU(W₁ x + b₁) + b₂`` with weights [in, out]."""
    return F.gelu(x @ rise[0] + rise[1]) @ fall[0] + fall[1]
