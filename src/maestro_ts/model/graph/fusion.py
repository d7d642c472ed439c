"""Fusion layers over rows of N tokens, of which each window has the first n."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.budget import ceil_log
from maestro_ts.model.experts import Experts
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.graph.attention import GraphAttention
from maestro_ts.model.graph.layers import GraphDistil, GraphExperts, GraphFeedForward, GraphNorm
from maestro_ts.model.graph.lengths import Lengths, Rows
from maestro_ts.model.graph.sample import FixedSample, VaryingSample

__all__ = ["GraphFusionLayer"]


class GraphFusionLayer(nn.Module):
    """A fitted `FusionLayer`.

    Parameters
    ----------
    layer : FusionLayer
    longest : int
        Tokens before the first layer.
    distilled : int
        Distillations before this one.
    varies : bool
        Windows have fewer tokens, too.
    """

    def __init__(self, layer: FusionLayer, longest: int, distilled: int, varies: bool) -> None:
        super().__init__()
        weight = layer.attention.project.weight.detach()
        before = Lengths(longest, distilled, weight)
        self.attention = _FusionAttention(layer.attention, before, varies)
        self.attention_norm = GraphNorm(layer.attention_norm)
        self.distil = None if layer.distil is None else GraphDistil(layer.distil)
        after = distilled + (layer.distil is not None)
        self.after = Lengths(longest, after, weight) if varies else None
        mixer = layer.mixer
        self.mixer: GraphExperts | GraphFeedForward = (
            GraphExperts(mixer) if isinstance(mixer, Experts) else GraphFeedForward(mixer)
        )
        self.shared = None if layer.shared is None else GraphFeedForward(layer.shared)
        self.mixer_norm = GraphNorm(layer.mixer_norm)

    def forward(
        self, x: Tensor, first: Tensor | None, rows: Rows | None
    ) -> tuple[Tensor, Rows | None]:
        """[1, B, N, D] → [1, B, N', D] and its rows.

        Parameters
        ----------
        x : [1, B, N, D]
        first : [B], lengths before the first layer; None: all are the longest
        rows : Rows, likewise
        """
        x = self.attention_norm(x + self.attention(x, first, rows))
        if self.distil is not None:
            after = None if self.after is None or first is None else self.after(first)
            x, rows = self.distil(x, rows, after), after
        mixed = self.mixer(x)
        if self.shared is not None:
            mixed = mixed + self.shared(x)
        return self.mixer_norm(x + mixed), rows


class _FusionAttention(nn.Module):
    """``β ⌈ln n⌉`` of n queries attend, or all where those are no fewer."""

    def __init__(self, attention: Attention, lengths: Lengths, varies: bool) -> None:
        super().__init__()
        weight, longest = attention.project.weight.detach(), lengths.longest
        counts = range(1, longest + 1) if varies else (longest,)

        def queries(n: int) -> float:
            return attention.beta * ceil_log(n)

        most = max(min(n, math.ceil(queries(n))) for n in counts)
        self.attention = GraphAttention(attention, longest, most)
        self.sample: FixedSample | VaryingSample | None = None
        if attention.dense or all(queries(n) >= n for n in counts):
            return
        if varies:
            self.sample = VaryingSample(lengths.lengths, attention.sampled, weight)
        else:
            self.sample = FixedSample(longest, attention.sampled, weight)
        ranks = torch.arange(most, dtype=weight.dtype, device=weight.device)
        self.register_buffer("ranks", ranks)
        self.register_buffer("queries", lengths.table(queries, weight))

    def forward(self, x: Tensor, first: Tensor | None, rows: Rows | None) -> Tensor:
        """[1, B, N, D] → the same."""
        weights = sample = None
        if self.sample is not None:
            queries, sample = self.get_buffer("queries"), self.sample(x, first)
            v = queries[-1:] if first is None else F.embedding(first, queries)
            weights = (v - self.get_buffer("ranks")).clamp(0.0, 1.0)[None, :, None]
        result: Tensor = self.attention(x, weights, sample, rows)
        return result
