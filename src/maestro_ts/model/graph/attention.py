"""Sparse attention of G stacked modalities with a fixed number of ranks and no branch on data.

What a product can absorb is absorbed once, in the weights: the scale of the queries; the bias of
the keys, which no softmax or rank depends on, is dropped; that of the values adds to the output's.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.graph.layers import by_member
from maestro_ts.model.graph.lengths import Rows

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
        self.heads, self.longest = attention.heads, longest
        weight, bias = attention.project.weight.detach(), attention.project.bias.detach()
        width = weight.shape[1]
        self.size, scale = width // self.heads, 1.0 / math.sqrt(width // self.heads)
        query, key, value = torch.split(weight, width, dim=2)
        out = attention.out.weight.detach()
        # Cheaper than to gather most of the queries.
        self.whole = 2 * ranks > longest
        self._keep("query", query * scale)
        self._keep("query_bias", bias[..., :width] * scale)
        self._keep("key", key)
        self._keep("value", value)
        self._keep("out", out)
        self._keep("out_bias", attention.out.bias.detach() + bias[..., 2 * width :] @ out)

    def _keep(self, name: str, tensor: Tensor) -> None:
        self.register_buffer(name, by_member(tensor))

    def forward(
        self,
        x: Tensor,
        weights: Tensor | None = None,
        sample: Tensor | None = None,
        rows: Rows | None = None,
    ) -> Tensor:
        """Attend within rows.

        Parameters
        ----------
        x : [G, B, L, D]
        weights : [G, B, 1, U], optional
            Share of attention of the query of each rank; None: all queries attend.
        sample : [G, B, S, D], optional
            What queries are scored on, less its mean; needed with `weights`.
        rows : Rows, optional
            None: every token is there.
        """
        q = x @ self.get_buffer("query") + self.get_buffer("query_bias")
        k = self._turned(x @ self.get_buffer("key"))
        v = self._turned(x @ self.get_buffer("value"))
        if weights is None:
            attended = self._attend(self._turned(q).transpose(3, 4), k, v, rows)
            mixed = attended.transpose(2, 3).flatten(3)
        else:
            assert sample is not None
            sampled = self._turned(sample @ self.get_buffer("key"))
            turned = self._turned(q)
            score = (sampled.transpose(3, 4) @ turned).amax(dim=3)
            if rows is not None:
                score = score + rows.hidden[:, 0]
            top = score.topk(weights.shape[3], dim=3).indices  # [G, B, H, U]
            # [G, B, H, 1, e]
            mean = (v.mean(dim=4) if rows is None else rows.mean(v))[:, :, :, None]
            if self.whole:
                by_query = torch.zeros_like(score).scatter(3, top, weights.expand_as(top))
                attended = self._attend(turned.transpose(3, 4), k, v, rows)
                mixed = torch.lerp(mean, attended, by_query[..., None]).transpose(2, 3).flatten(3)
            else:
                mixed = self._selected(q, k, v, mean, top, weights, rows)
        return mixed @ self.get_buffer("out") + self.get_buffer("out_bias")

    def _turned(self, x: Tensor) -> Tensor:
        """[G, B, L, D] → [G, B, H, e, L]: heads are views of it, and nothing more is copied."""
        turned = x.transpose(2, 3)
        return turned.reshape(*turned.shape[:2], self.heads, self.size, turned.shape[3])

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, rows: Rows | None) -> Tensor:
        """Queries [G, B, H, U, e] → the same."""
        products = q @ k
        if rows is not None:
            products = products + rows.hidden
        return products.softmax(dim=-1) @ v.transpose(3, 4)

    def _selected(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mean: Tensor,
        top: Tensor,
        weights: Tensor,
        rows: Rows | None,
    ) -> Tensor:
        """The queries that stand out attend, the others receive the mean: [G, B, L, D]."""
        members, batch, length, width = q.shape
        # A token's part of one head is one row of e numbers.
        row = torch.arange(members * batch, device=q.device) * (length * self.heads)
        head = torch.arange(self.heads, device=q.device)[:, None]
        places = top * self.heads + (row.view(members, batch, 1, 1) + head)
        chosen = F.embedding(places, q.view(-1, self.size))
        attended = self._attend(chosen, k, v, rows)
        mixed = mean + (attended - mean) * weights[..., None]
        everywhere = mean.view(members, batch, 1, width).expand(-1, -1, length, -1)
        flat = everywhere.reshape(-1, self.size)
        return flat.index_put((places,), mixed).view(q.shape)
