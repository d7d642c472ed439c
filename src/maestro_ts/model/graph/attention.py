"""Sparse attention of G stacked modalities with a fixed number of ranks and no branch on data.

Everything lies token by token in the last axis, ``[…, H, e, L]``, so that heads are views and no
operand of a product is copied. What a product can absorb is absorbed once, in the weights: the
scale and the bias of the queries; that of the keys, which no softmax or rank depends on, is
dropped; that of the values adds to the output's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.graph.lengths import Lengths
from maestro_ts.model.graph.sample import FixedSample, VaryingSample

__all__ = ["GraphAttention"]


class GraphAttention(nn.Module):
    """A fitted `Attention`.

    Parameters
    ----------
    attention : Attention
    longest : int
        Tokens L of each row, padding included.
    ranks : int
        At most so many queries of a row attend; L or more: any may.
    """

    def __init__(self, attention: Attention, longest: int, ranks: int) -> None:
        super().__init__()
        self.heads, self.ranks, self.longest = attention.heads, min(ranks, longest), longest
        weight, bias = attention.project.weight.detach(), attention.project.bias.detach()
        width = weight.shape[1]
        self.size = width // self.heads
        query, key, value = weight.split(width, dim=2)
        out = attention.out.weight.detach()
        scale = 1.0 / math.sqrt(self.size)
        self._keep("query", (query * scale).transpose(1, 2)[:, None])  # [G, 1, D, D]
        self._keep("query_bias", (bias[..., :width] * scale).transpose(1, 2)[:, None])
        self._keep("key", key.transpose(1, 2)[:, None])
        self._keep("value", value.transpose(1, 2)[:, None])
        self._keep("out", out[:, None])
        self._keep("out_bias", (attention.out.bias.detach() + bias[..., 2 * width :] @ out)[:, None])

    def _keep(self, name: str, tensor: Tensor) -> None:
        self.register_buffer(name, tensor.contiguous())

    def forward(
        self,
        x: Tensor,
        weights: Tensor | None = None,
        sample: FixedSample | VaryingSample | None = None,
        lengths: Lengths | None = None,
    ) -> Tensor:
        """Attend within rows.

        Parameters
        ----------
        x : [G, B, L, D]
        weights : [G, B, U], optional
            Share of attention of the query of each rank; None: all queries attend.
        sample : FixedSample or VaryingSample, optional
            What queries are scored on; needed with `weights`.
        lengths : Lengths, optional
            None: every token is there.
        """
        turned = x.transpose(2, 3)
        q = self._heads(self.get_buffer("query") @ turned + self.get_buffer("query_bias"))
        k = self._heads(self.get_buffer("key") @ turned)
        v = self._heads(self.get_buffer("value") @ turned)
        hidden = None
        if lengths is not None:
            hidden = torch.zeros_like(lengths.there, dtype=x.dtype).masked_fill(
                ~lengths.there, -math.inf
            )[:, None, None]
        if weights is None:
            attended = self._attend(q, k, v, hidden)
        else:
            assert sample is not None
            sampled = self._heads(self.get_buffer("key") @ sample(x, lengths).transpose(2, 3))
            score = (sampled.transpose(3, 4) @ q).amax(dim=3)
            attended = self._selected(q, k, v, weights[:, :, None], score, hidden, lengths)
        joined = attended.flatten(2, 3).transpose(2, 3)
        return joined @ self.get_buffer("out") + self.get_buffer("out_bias")

    def _heads(self, x: Tensor) -> Tensor:
        """[G, B, D, L] → [G, B, H, e, L]."""
        return x.unflatten(2, (self.heads, self.size))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, hidden: Tensor | None) -> Tensor:
        products = q.transpose(3, 4) @ k
        if hidden is not None:
            products = products + hidden
        return v @ products.softmax(dim=-1).transpose(3, 4)

    def _selected(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        weights: Tensor,
        score: Tensor,
        hidden: Tensor | None,
        lengths: Lengths | None,
    ) -> Tensor:
        """The queries that stand out attend, the others receive the mean: [G, B, H, e, L]."""
        if lengths is None or hidden is None:
            mean = v.mean(dim=4, keepdim=True)
        else:
            share = lengths.there.to(v.dtype) / lengths.count[:, None]
            mean = v @ share[:, None, :, None]
            score = score + hidden[:, :, 0]
        top = score.topk(weights.shape[3], dim=3).indices  # [G, B, H, U]
        if 2 * self.ranks > self.longest:
            # Cheaper than to gather most of the queries.
            by_query = torch.zeros_like(score).scatter(3, top, weights.expand_as(top))
            return torch.lerp(mean, self._attend(q, k, v, hidden), by_query[:, :, :, None])
        places = top[:, :, :, None].expand(-1, -1, -1, self.size, -1)
        attended = self._attend(q.gather(4, places), k, v, hidden)
        mixed = mean + (attended - mean) * weights[:, :, :, None]
        return mean.expand_as(v).scatter(4, places, mixed)
