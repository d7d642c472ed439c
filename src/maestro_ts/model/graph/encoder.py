"""The encoders of all modalities of one token length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.model.budget import Budget, rank_weights
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.graph.attention import GraphAttention
from maestro_ts.model.graph.layers import GraphDistil, GraphFeedForward, GraphNorm
from maestro_ts.model.graph.sample import FixedSample

__all__ = ["GraphEncoderLayer"]


class GraphEncoderLayer(nn.Module):
    """A fitted `EncoderLayer` for rows of one length.

    Parameters
    ----------
    layer : EncoderLayer
    length : int
    budget : Budget
    """

    def __init__(self, layer: EncoderLayer, length: int, budget: Budget) -> None:
        super().__init__()
        attention = layer.attention
        self.length, self.budget = length, budget
        most = budget.most(length)
        self.attention = GraphAttention(attention, length, most)
        self.sample = None
        if not attention.dense:
            weight = attention.project.weight
            self.sample = FixedSample(length, attention.sampled, weight)
            ranks = torch.arange(min(most, length), dtype=weight.dtype, device=weight.device)
            self.register_buffer("ranks", ranks)
        self.attention_norm = GraphNorm(layer.attention_norm)
        self.distil = None if layer.distil is None else GraphDistil(layer.distil)
        self.feed_forward = GraphFeedForward(layer.feed_forward)
        self.feed_forward_norm = GraphNorm(layer.feed_forward_norm)

    def forward(self, x: Tensor, budgets: Tensor) -> Tensor:
        """[G, B, L, D] with budgets [G, B] → [G, B, L', D]."""
        weights = sample = None
        if self.sample is not None:
            sample = self.sample(x)
            queries = self.budget.queries(budgets, self.length)
            ranks = self.get_buffer("ranks")
            weights = rank_weights(queries[:, :, None, None], ranks, 0.0, 1.0).to(x.dtype)
        x = self.attention_norm(x + self.attention(x, weights, sample))
        if self.distil is not None:
            x = self.distil(x)
        result: Tensor = self.feed_forward_norm(x + self.feed_forward(x))
        return result
