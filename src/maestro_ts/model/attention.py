"""Sparse attention: the queries that stand out attend, the others receive the mean.

After Informer (Zhou et al. 2021) and MAESTRO section 3.2: a query's score on a sample of keys is
``P(q) = max qk − mean qk``; per head the top queries attend to all keys. Ours: one stratified
sample of keys for all queries, fixed by position at evaluation and jittered by the generator in
training, and a real number v of attended queries (`budget.rank_weights`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.budget import ceil_log, rank_weights
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.selected_attention import Piece, attend
from maestro_ts.model.spans import Spans
from maestro_ts.model.stacked import StackedLinear

__all__ = ["Attention", "sampled_places"]

GROUPS = 4  # at most so many budget classes a batch is split into at inference
WORTH = 2**12  # tokens that such a class must have to pay for itself
FUSED_FROM = 512  # tokens; so long rows attend through the fused kernel, which keeps no products


class Attention(nn.Module):
    """Multi-head attention over the tokens of each row, for G stacked modalities.

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
        dropout: float,
        soft_width: float,
    ) -> None:
        super().__init__()
        self.heads, self.beta, self.dense = heads, beta, dense
        self.soft_width, self.softness = soft_width, 0.0
        self.sampled = min(longest, math.ceil(beta * ceil_log(longest)))
        self.project = StackedLinear(members, width, 3 * width)
        self.out = StackedLinear(members, width, width)
        self.dropout = Dropout(dropout)
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor, queries: Tensor, sizes: Sequence[int]) -> Tensor:
        """Attend within rows of one length.

        Parameters
        ----------
        x : [R, L, D]
        queries : [R]
            Real number v of attended queries per head.
        sizes : sequence of int
            Rows of each member.
        """
        length = x.shape[1]
        tokens = [size * length for size in sizes]
        packed = self.project(x.flatten(0, 1), tokens)
        mixed = self.out(self._mixed(packed, length, queries), tokens)
        result: Tensor = self.dropout(mixed).view(x.shape)
        return result

    def over(self, x: Tensor, spans: Spans) -> Tensor:
        """Attend within each window of a run [N, D], with ``β ⌈ln n⌉`` of its n queries."""
        packed = self.project(x, [len(x)])
        mixed = self.out(self._blocks(packed, spans), [len(x)])
        result: Tensor = self.dropout(mixed)
        return result

    def mass(self, x: Tensor, spans: Spans, marks: Tensor) -> Tensor:
        """Where the attention of `over` goes, without dropout.

        Attention is linear in the values: with marks in their place the same arithmetic says how
        much of each query's attention lies on the keys of each mark.

        Parameters
        ----------
        x : [N, D]; spans : Spans
            As in `over`.
        marks : [N, K]
            Of the keys; rows of ones and zeros that add up to 1 give shares that do.

        Returns
        -------
        [N, H, K]
        """
        packed = self.project(x, [len(x)])
        parts = []
        for some in torch.split(marks.to(packed.dtype), packed.shape[1] // 3 // self.heads, dim=1):
            marked = packed.view(len(x), 3, self.heads, -1).clone()
            marked[:, 2] = 0.0
            marked[:, 2, :, : some.shape[1]] = some[:, None]
            mixed = self._blocks(marked.flatten(1), spans).view(len(x), self.heads, -1)
            parts.append(mixed[..., : some.shape[1]])
        return torch.cat(parts, dim=-1)

    def _blocks(self, packed: Tensor, spans: Spans) -> Tensor:
        pieces = []
        for first, rows, length in spans.blocks:
            v = self.beta * ceil_log(length)
            if self.dense or v >= length:
                pieces.append(Piece(first, rows, length))
                continue
            ranks = torch.arange(math.ceil(v), device=packed.device, dtype=packed.dtype)
            weights = (v - ranks).clamp(max=1.0).expand(rows, -1)
            places = self._places(rows, length, packed.device)
            pieces.append(Piece(first, rows, length, weights, places))
        if spans.lengths[-1] < FUSED_FROM or any(piece.weights is not None for piece in pieces):
            return attend(packed, self.heads, pieces)
        return torch.cat([self._fused(packed[p.tokens], p.length) for p in pieces])

    def _mixed(self, packed: Tensor, length: int, queries: Tensor) -> Tensor:
        """[B · L, 3 D] → [B · L, D] for B windows of one length."""
        if self.dense:
            return self._all(packed, length)
        groups = self._groups(queries, length)
        places = self._places(len(queries), length, packed.device)
        if len(groups) == 1:
            return self._selected(packed, length, queries, places, groups[0][1])
        windows = packed.view(len(queries), length, -1)
        parts = [
            self._selected(
                windows.index_select(0, rows).flatten(0, 1),
                length,
                queries[rows],
                places if places.dim() == 1 else places[rows],
                most,
            ).view(len(rows), length, -1)
            for rows, most in groups
        ]
        # Every row is in one group: to its place by the inverse of their order.
        order = torch.cat([rows for rows, _ in groups])
        return torch.cat(parts).index_select(0, order.argsort()).flatten(0, 1)

    def _selected(
        self, packed: Tensor, length: int, queries: Tensor, places: Tensor, most: int
    ) -> Tensor:
        softness = self.softness if self.training else 0.0
        ranks = torch.arange(most, device=queries.device, dtype=queries.dtype)
        weights = rank_weights(queries[:, None], ranks, softness, self.soft_width)
        if most == length and _all_known(weights >= 1.0):
            return self._all(packed, length)
        piece = Piece(0, len(queries), length, places=places)
        return attend(packed, self.heads, [piece], weights.to(packed.dtype))

    def _all(self, packed: Tensor, length: int) -> Tensor:
        if length >= FUSED_FROM:
            return self._fused(packed, length)
        return attend(packed, self.heads, [Piece(0, len(packed) // length, length)])

    def _fused(self, packed: Tensor, length: int) -> Tensor:
        split = packed.view(-1, length, 3, self.heads, packed.shape[1] // 3 // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v)
        return attended.transpose(1, 2).flatten(0, 1).flatten(1)

    def _places(self, batch: int, length: int, device: torch.device) -> Tensor:
        """Keys that queries are scored on: spread evenly, [S]; jittered in training, [B, S]."""
        jitter: Tensor | float = 0.5
        if length > self.sampled and self.training and self.generator is not None:
            jitter = torch.rand(batch, self.sampled, device=device, generator=self.generator)
        return sampled_places(length, self.sampled, device, jitter)

    def _groups(self, queries: Tensor, length: int) -> list[tuple[Tensor, int]]:
        """Rows and the number of ranks they need, so that cost follows the budget.

        In training one group with the largest possible number: no synchronisation. At inference
        rows of similar budget share a group.
        """
        everyone = torch.arange(len(queries), device=queries.device)
        if self.training:
            ceiling = self.beta * ceil_log(length)
            return [(everyone, min(length, math.ceil(ceiling + 4 * self.soft_width)))]
        needed = queries.ceil().clamp(1, length).long()
        order = needed.argsort(stable=True)
        groups = []
        parts = min(GROUPS, len(order), len(order) * length // WORTH)
        for rows in order.tensor_split(max(1, parts)):
            groups.append((rows, int(needed[rows[-1]])))
        if len({most for _, most in groups}) == 1:
            return [(everyone, groups[0][1])]
        return groups


def sampled_places(
    length: int, sampled: int, device: torch.device, jitter: Tensor | float = 0.5
) -> Tensor:
    """One key in each of `sampled` equal strata of a row, [..., S]; all keys if there are no more.

    Parameters
    ----------
    jitter : [..., S] or float
        In [0, 1): where in its stratum.
    """
    if length <= sampled:
        return torch.arange(length, device=device)
    slot = torch.arange(sampled, device=device)
    return ((slot + jitter) * (length / sampled)).long().clamp(max=length - 1)


def _all_known(condition: Tensor) -> bool:
    """Whether all is true; False where asking would wait for a device."""
    return condition.device.type == "cpu" and bool(condition.all())
