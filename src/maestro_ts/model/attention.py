"""Sparse attention: the queries that stand out attend, the others receive the mean.

After Informer (Zhou et al. 2021) and MAESTRO section 3.2: a query's score on a sample of keys is
``P(q) = max qk − mean qk``; per head the top queries attend to all keys. Ours: one stratified
sample of keys for all queries, fixed by position at evaluation and jittered by the generator in
training, and a real number v of attended queries (`budget.rank_weights`).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.budget import rank_weights
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.spans import Spans
from maestro_ts.model.stacked import StackedLinear

__all__ = ["Attention"]

GROUPS = 4  # at most so many budget classes a batch is split into at inference


class Attention(nn.Module):
    """Multi-head attention over the real tokens of each row, for G stacked modalities.

    Parameters
    ----------
    members, width, heads : int
        G, D and H.
    longest : int
        Longest row: ``min(L, β ⌈ln L⌉)`` keys are sampled for the score, whatever the row.
    beta : float
        Largest budget.
    dense : bool
        Plain attention for every query; budgets are ignored.
    dense_below : int
        Up to this length the sparse result is computed densely (cheaper), with the same weights.
    dropout : float
    """

    def __init__(
        self,
        members: int,
        width: int,
        heads: int,
        *,
        longest: int,
        beta: float,
        dense: bool,
        dense_below: int,
        dropout: float,
        soft_width: float,
    ) -> None:
        super().__init__()
        self.heads, self.beta, self.dense, self.dense_below = heads, beta, dense, dense_below
        self.soft_width, self.softness = soft_width, 0.0
        self.sampled = min(longest, math.ceil(beta * math.ceil(math.log(max(longest, 2)))))
        self.project = StackedLinear(members, width, 3 * width)
        self.out = StackedLinear(members, width, width)
        self.dropout = Dropout(dropout)
        self.generator: torch.Generator | None = None

    def forward(
        self,
        x: Tensor,
        spans: Spans | None,
        queries: Tensor,
        active: Tensor | None = None,
        *,
        everyone: bool = False,
    ) -> Tensor:
        """Attend.

        Parameters
        ----------
        x : [G, R, L, D]
        spans : Spans or None
            Tokens that are there, from the left, at least one; None: all of them.
        queries : [G, R]
            Real number v of attended queries per head.
        everyone : bool
            The caller knows that v is no less than the tokens of every row.
        """
        members, _, length, width = x.shape
        q, k, v = self._split(self.project(x.flatten(1, 2), active), length)
        queries = queries.flatten()
        if spans is not None and spans.full:
            spans = None
        there = None if spans is None else spans.there
        lengths = None if spans is None else spans.lengths
        if self.dense or everyone:
            mixed = _full(q, k, v, there)
        else:
            with torch.no_grad():
                score = self._score(q, k, lengths, there)
            mean = _mean(v, lengths, there)
            if length <= self.dense_below:
                ranks = score.argsort(dim=-1, descending=True).argsort(dim=-1)
                w = self._weights(queries, ranks)
                mixed = torch.lerp(mean.expand_as(v), _full(q, k, v, there), w.to(v.dtype))
            else:
                mixed = self._selected(q, k, v, there, score, mean, queries)
        merged = mixed.transpose(1, 2).reshape(members, -1, width)
        result: Tensor = self.dropout(self.out(merged, active)).view(x.shape)
        return result

    def _split(self, projected: Tensor, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """[G, R · L, 3 D] → queries, keys and values, each [G · R, H, L, e]."""
        packed = projected.reshape(
            -1, length, 3, self.heads, projected.shape[-1] // 3 // self.heads
        )
        q, k, v = packed.permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def _score(self, q: Tensor, k: Tensor, lengths: Tensor | None, there: Tensor | None) -> Tensor:
        """How much each query stands out on the sampled keys, [B, H, L]; −inf for padding.

        The same number of keys for every row, spread evenly over its real tokens, so that a row
        is scored alike in any batch.
        """
        batch, heads, length, size = k.shape
        slot = torch.arange(self.sampled, device=k.device)
        jitter: Tensor | float = 0.5
        if self.training and self.generator is not None:
            jitter = torch.rand(batch, self.sampled, device=k.device, generator=self.generator)
        n = torch.full((batch,), length, device=k.device) if lengths is None else lengths
        place = ((slot + jitter) * (n[:, None] / self.sampled)).long().clamp(max=length - 1)
        index = place[:, None, :, None].expand(batch, heads, self.sampled, size)
        keys = k.gather(2, index)
        top = (q @ keys.transpose(-1, -2)).amax(dim=-1)
        # The mean of the products is the product with the mean key.
        mean = (q @ keys.mean(dim=2, keepdim=True).transpose(-1, -2)).squeeze(-1)
        score = top - mean
        return score if there is None else score.masked_fill(~there[:, None], -math.inf)

    def _weights(self, queries: Tensor, ranks: Tensor) -> Tensor:
        softness = self.softness if self.training else 0.0
        w = rank_weights(queries[:, None, None], ranks.to(queries.dtype), softness, self.soft_width)
        return w.unsqueeze(-1)

    def _selected(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        there: Tensor | None,
        score: Tensor,
        mean: Tensor,
        queries: Tensor,
    ) -> Tensor:
        """Attend with the top ranks only, rows grouped by budget so that cost follows it."""
        batch, heads, length, size = q.shape
        result = mean.expand(batch, heads, length, size)
        for rows, most in self._groups(queries, length):
            top = score[rows].topk(most, dim=-1).indices
            index = top.unsqueeze(-1).expand(-1, -1, -1, size)
            chosen = q[rows].gather(2, index)
            keys = None if there is None else there[rows]
            attended = _full(chosen, k[rows], v[rows], keys)
            ranks = torch.arange(most, device=q.device).expand(1, 1, most)
            w = self._weights(queries[rows], ranks)
            mixed = torch.lerp(mean[rows].expand_as(attended), attended, w.to(v.dtype))
            filled = result[rows].scatter(2, index, mixed)
            if len(rows) == batch:
                return filled
            result = result.index_copy(0, rows, filled)
        return result

    def _groups(self, queries: Tensor, length: int) -> list[tuple[Tensor, int]]:
        """Rows and the number of ranks they need.

        In training one group with the largest possible number: no synchronisation. At inference
        rows of similar budget share a group.
        """
        everyone = torch.arange(len(queries), device=queries.device)
        if self.training:
            ceiling = self.beta * math.ceil(math.log(max(length, 2)))
            return [(everyone, min(length, math.ceil(ceiling + 4 * self.soft_width)))]
        needed = queries.ceil().clamp(1, length).long()
        order = needed.argsort(stable=True)
        groups = []
        for rows in order.tensor_split(min(GROUPS, len(order))):
            if len(rows):
                groups.append((rows, int(needed[rows[-1]])))
        if len({most for _, most in groups}) == 1:
            return [(everyone, groups[0][1])]
        return groups


def _full(q: Tensor, k: Tensor, v: Tensor, there: Tensor | None) -> Tensor:
    """``softmax(q kᵀ / √e) v`` over the keys that are there."""
    mask = None if there is None else there[:, None, None, :]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _mean(v: Tensor, lengths: Tensor | None, there: Tensor | None) -> Tensor:
    """Mean of the values that are there, [B, H, 1, e]."""
    if lengths is None or there is None:
        return v.mean(dim=2, keepdim=True)
    kept = v.masked_fill(~there[:, None, :, None], 0.0)
    return kept.sum(dim=2, keepdim=True) / lengths[:, None, None, None]
