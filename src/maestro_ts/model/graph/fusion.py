"""Fusion layers over windows of n ≤ N tokens, which come first; the rest is padding."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.experts import Experts
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.graph.attention import GraphAttention
from maestro_ts.model.graph.layers import GraphDistil, GraphExperts, GraphFeedForward, GraphNorm
from maestro_ts.model.graph.lengths import Lengths
from maestro_ts.model.graph.sample import FixedSample, VaryingSample

__all__ = ["GraphFusionLayer"]


class GraphFusionLayer(nn.Module):
    """A fitted `FusionLayer`.

    Parameters
    ----------
    layer : FusionLayer
    longest : int
        N.
    varies : bool
        Windows have fewer tokens, too.
    """

    def __init__(self, layer: FusionLayer, longest: int, varies: bool) -> None:
        super().__init__()
        self.attention = _FusionAttention(layer.attention, longest, varies)
        self.attention_norm = GraphNorm(layer.attention_norm)
        self.distil = None if layer.distil is None else GraphDistil(layer.distil)
        mixer = layer.mixer
        self.mixer: GraphExperts | GraphFeedForward = (
            GraphExperts(mixer) if isinstance(mixer, Experts) else GraphFeedForward(mixer)
        )
        self.shared = None if layer.shared is None else GraphFeedForward(layer.shared)
        self.mixer_norm = GraphNorm(layer.mixer_norm)

    def forward(self, x: Tensor, lengths: Lengths | None) -> tuple[Tensor, Lengths | None]:
        """[1, B, N, D] → [1, B, N', D] with its lengths; None: all are N."""
        x = self.attention_norm(x + self.attention(x, lengths))
        if self.distil is not None:
            x = self.distil(x, lengths)
            lengths = None if lengths is None else lengths.distilled()
        mixed = self.mixer(x)
        if self.shared is not None:
            mixed = mixed + self.shared(x)
        return self.mixer_norm(x + mixed), lengths


class _FusionAttention(nn.Module):
    """``β ⌈ln n⌉`` of n queries attend, or all where those are no fewer."""

    def __init__(self, attention: Attention, longest: int, varies: bool) -> None:
        super().__init__()
        weight = attention.project.weight
        queries = [attention.beta * math.ceil(math.log(max(n, 2))) for n in range(longest + 1)]
        counts = range(1, longest + 1) if varies else (longest,)
        selects = not attention.dense and any(queries[n] < n for n in counts)
        most = max(min(n, math.ceil(queries[n])) for n in counts)
        self.attention = GraphAttention(attention, longest, most)
        self.sample: FixedSample | VaryingSample | None = None
        if selects:
            kind = VaryingSample if varies else FixedSample
            self.sample = kind(longest, attention.sampled, weight)
            ranks = torch.arange(most, dtype=weight.dtype, device=weight.device)
            by_length = torch.tensor(queries, dtype=weight.dtype, device=weight.device)
            self.register_buffer("ranks", ranks)
            self.register_buffer("queries", by_length)

    def forward(self, x: Tensor, lengths: Lengths | None) -> Tensor:
        """[1, B, N, D] → the same."""
        weights = None
        if self.sample is not None:
            queries, ranks = self.get_buffer("queries"), self.get_buffer("ranks")
            v = queries[-1:] if lengths is None else queries.index_select(0, lengths.count)
            weights = (v[:, None] - ranks).clamp(0.0, 1.0)[None]
        result: Tensor = self.attention(x, weights, self.sample, lengths)
        return result
