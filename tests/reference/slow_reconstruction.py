"""Masked-symbol modelling number by number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

import torch
from torch import Tensor, nn

__all__ = ["slow_answers", "slow_reconstruction_loss"]


def slow_reconstruction_loss(
    found: Tensor, valid: Mapping[str, Tensor], whole: Mapping[str, Tensor], alphabet: int
) -> float:
    """Centres found [B, Σ L·C·V] → mean over modalities of the mean Huber loss of hidden symbols.

    Parameters
    ----------
    valid : dict of name to [B, L]
        Bins that can be seen.
    whole : dict of name to [B, L, C, V]
        Symbols without a mask, 0 is missing.
    """
    means, first = [], 0
    for name, symbols in whole.items():
        windows, length, channels, views = symbols.shape
        losses = []
        for b in range(windows):
            place = first
            for t in range(length):
                for c in range(channels):
                    for v in range(views):
                        symbol = int(symbols[b, t, c, v])
                        if symbol != 0 and not valid[name][b, t]:
                            centre = NormalDist().inv_cdf((symbol - 0.5) / alphabet)
                            error = abs(float(found[b, place]) - centre)
                            losses.append(0.5 * error**2 if error <= 1 else error - 0.5)
                        place += 1
        first += length * channels * views
        if losses:
            means.append(sum(losses) / len(losses))
    return sum(means) / len(means)


def slow_answers(
    queries: Tensor, tokens: Tensor, ask: nn.Linear, keys: nn.Linear, heads: int
) -> Tensor:
    """Queries [Q, D] to the tokens [N, D] of one window → [Q, D], query by query, head by head."""
    width = queries.shape[1]
    part = width // heads
    answers = torch.zeros_like(queries)
    for i, query in enumerate(queries):
        asked = ask.weight @ query + ask.bias
        for h in range(heads):
            some = slice(h * part, (h + 1) * part)
            scores, values = [], []
            for token in tokens:
                packed = keys.weight @ token + keys.bias
                scores.append(float(asked[some] @ packed[:width][some]) / math.sqrt(part))
                values.append(packed[width:][some])
            top = max(scores)
            weights = [math.exp(s - top) for s in scores]
            answers[i, some] = sum(
                w / sum(weights) * v for w, v in zip(weights, values, strict=True)
            )
    return answers
