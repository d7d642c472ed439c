"""The core of sparse attention with a gradient written by hand: few passes, no copies of windows.

Composed of PyTorch's own pieces the same arithmetic takes three times as long on a CPU: at the head
widths of small models the fused kernel is slower than three products, and the gradients of views
and gathers are filled with zeros and added up again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from maestro_ts.model.by_hand import apply

__all__ = ["Piece", "attend"]

CHUNK = 2**21  # products of queries and keys computed together


class Piece(NamedTuple):
    """Windows of one length in a run of tokens, and which of their queries attend.

    `weights` [rows, U] is the share of attention (the rest is the mean value) of the query of rank
    0, 1, … U − 1; queries of higher rank have 0. None: all queries attend. `places` [rows, S], or
    [S] for all of them, are the keys on which queries are scored: ``max qk − mean qk`` ranks them.
    """

    first: int  # token
    rows: int
    length: int
    weights: Tensor | None = None
    places: Tensor | None = None

    def parts(self, heads: int) -> Iterator[Piece]:
        """Some rows at a time, so that their products stay in the cache."""
        queries = self.length if self.weights is None else self.weights.shape[1]
        step = max(1, CHUNK // (heads * queries * self.length))
        for begin in range(0, self.rows, step):
            rows = slice(begin, min(begin + step, self.rows))
            yield Piece(
                self.first + begin * self.length,
                rows.stop - begin,
                self.length,
                None if self.weights is None else self.weights[rows],
                self.places if self.places is None or self.places.dim() == 1 else self.places[rows],
            )

    @property
    def tokens(self) -> slice:
        """Where it lies in the run."""
        return slice(self.first, self.first + self.rows * self.length)


def attend(
    packed: Tensor, heads: int, pieces: Sequence[Piece], weights: Tensor | None = None
) -> Tensor:
    """Multi-head attention of the queries that stand out; the others receive the mean value.

    Parameters
    ----------
    packed : [N, 3 D]
        Queries, keys and values of a run of tokens beside each other.
    pieces : sequence of Piece
        All of the run, in order.
    weights : [rows, U], optional
        Those of a single piece, where they are to have a gradient.

    Returns
    -------
    [N, D]
    """
    return apply(_Attend, packed, weights, heads, pieces)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, packed: Tensor, weights: Tensor | None, heads: int, pieces: Sequence[Piece]
    ) -> Tensor:
        if weights is not None:
            pieces = [piece._replace(weights=weights) for piece in pieces]
        width = packed.shape[1] // 3
        out = packed.new_empty(len(packed), width)
        learns = any(ctx.needs_input_grad)
        saved: list[Tensor | None] = []
        for piece in pieces:
            for part in piece.parts(heads):
                kept = _attend_rows(packed[part.tokens], heads, part, out=out[part.tokens])
                if learns:
                    saved += kept
        ctx.save_for_backward(*saved)
        ctx.heads, ctx.pieces = heads, pieces
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad = grad.contiguous()
        to_packed = grad.new_empty(len(grad), 3 * grad.shape[1])
        saved = iter(ctx.saved_tensors)
        of_weights = ctx.needs_input_grad[1]
        to_weights = []
        for piece in ctx.pieces:
            for part in piece.parts(ctx.heads):
                kept = _Saved(*(next(saved) for _ in _Saved._fields))
                gradient = _rows_backward(
                    grad[part.tokens],
                    kept,
                    ctx.heads,
                    part.rows,
                    of_weights,
                    out=to_packed[part.tokens],
                )
                if gradient is not None:
                    to_weights.append(gradient)
        return to_packed, torch.cat(to_weights) if of_weights else None, None, None


class _Saved(NamedTuple):
    """What the gradient of some rows needs, in N = rows · heads."""

    chosen: Tensor  # [N, U, e], scaled queries
    k: Tensor  # [N, L, e]
    v: Tensor
    attended: Tensor  # [N, U, e]
    weights: Tensor | None  # [N, U, 1]
    mean: Tensor | None  # [N, 1, e]
    top: Tensor | None  # [N, U]


def _attend_rows(packed: Tensor, heads: int, piece: Piece, *, out: Tensor) -> _Saved:
    """Attend, into `out` [R · L, D]."""
    batch, length, width = piece.rows, piece.length, out.shape[1]
    weights, places = piece.weights, piece.places
    size = width // heads
    split = packed.view(batch, length, 3, heads, size).permute(2, 0, 3, 1, 4)
    # Queries apart: keys and values are kept for the gradient, they are not.
    q = split[0].reshape(batch * heads, length, size)
    k, v = split[1:].reshape(2, batch * heads, length, size).unbind(0)
    scale = 1.0 / math.sqrt(size)
    mean = top = None
    if weights is None:
        chosen = q * scale
    else:
        assert places is not None
        score = _score(q, k, _of_heads(places, heads) if places.dim() == 2 else places)
        top = score.topk(weights.shape[1], dim=-1).indices
        chosen = _rows(q, top) * scale
    p = torch.bmm(chosen, k.transpose(1, 2)).softmax(dim=-1)
    attended = torch.bmm(p, v)
    if weights is None:
        out.view(batch, length, heads, size).copy_(
            attended.view(batch, heads, length, size).transpose(1, 2)
        )
        return _Saved(chosen, k, v, attended, None, None, None)
    assert top is not None
    weights = _of_heads(weights, heads)[..., None]
    mean = v.mean(dim=1, keepdim=True)
    out.view(batch, length, width).copy_(mean.view(batch, 1, width).expand(-1, length, -1))
    mixed = torch.lerp(mean, attended, weights)
    out.view(-1, size).index_copy_(0, _places(top, batch, length, heads), mixed.view(-1, size))
    return _Saved(chosen, k, v, attended, weights, mean, top)


def _rows_backward(
    grad: Tensor, saved: _Saved, heads: int, batch: int, of_weights: bool, *, out: Tensor
) -> Tensor | None:
    """Gradient of the packed rows, into `out` [R · L, 3 D], and that of their weights [R, U]."""
    chosen, k, v, attended, weights, mean, top = saved
    # Anew: kept, the shares of attention would be a tenth of what a step needs.
    p = torch.bmm(chosen, k.transpose(1, 2)).softmax(dim=-1)
    length, size = k.shape[1], k.shape[2]
    to_mean = to_weights = None
    if top is None:
        to_attended = grad.view(batch, length, heads, size).transpose(1, 2).reshape_as(chosen)
    else:
        assert weights is not None
        assert mean is not None
        flat = _places(top, batch, length, heads)
        grown = grad.view(-1, size).index_select(0, flat).view_as(chosen)
        to_attended = grown * weights
        total = grad.view(batch, length, -1).sum(dim=1).view(-1, 1, size)
        to_mean = total - to_attended.sum(dim=1, keepdim=True)
        if of_weights:
            each = (grown * (attended - mean)).sum(dim=-1)
            to_weights = each.view(batch, heads, -1).sum(dim=1)
    # Transposed: a product with few rows and many columns is twice as fast as its mirror.
    to_v = torch.bmm(to_attended.transpose(1, 2), p)
    to_p = torch.bmm(to_attended, v.transpose(1, 2))
    to_products = torch._softmax_backward_data(to_p, p, -1, p.dtype)
    to_k = torch.bmm(chosen.transpose(1, 2), to_products)
    to_q = torch.bmm(to_products, k) * (1.0 / math.sqrt(size))
    if to_mean is not None:
        to_v += to_mean.transpose(1, 2) / length
    packed = out.view(batch, length, 3, heads, size)
    packed[:, :, 2] = to_v.view(batch, heads, size, length).permute(0, 3, 1, 2)
    packed[:, :, 1] = to_k.view(batch, heads, size, length).permute(0, 3, 1, 2)
    if top is None:
        packed[:, :, 0] = to_q.view(batch, heads, length, size).transpose(1, 2)
    else:
        packed[:, :, 0] = 0.0
        out.view(-1, size).index_copy_(
            0, _places(top, batch, length, heads, 3), to_q.view(-1, size)
        )
    return to_weights


def _score(q: Tensor, k: Tensor, places: Tensor) -> Tensor:
    """How much each query stands out on the sampled keys, [B · H, L]."""
    keys = k.index_select(1, places) if places.dim() == 1 else _rows(k, places)
    # The mean of the products is the product with the mean key.
    keys = torch.cat([keys, keys.mean(dim=1, keepdim=True)], dim=1)
    products = torch.bmm(keys, q.transpose(1, 2))
    return products[:, :-1].amax(dim=1) - products[:, -1]


def _of_heads(x: Tensor, heads: int) -> Tensor:
    """[B, ...] → [B · H, ...], the same for every head."""
    return x[:, None].expand(-1, heads, *x.shape[1:]).flatten(0, 1)


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """Tokens `index` [N, U] of [N, L, e] → [N, U, e]."""
    rows = index + x.shape[1] * torch.arange(len(x), device=x.device)[:, None]
    flat = x.reshape(-1, x.shape[-1]).index_select(0, rows.flatten())
    return flat.view(*index.shape, -1)


def _places(top: Tensor, batch: int, length: int, heads: int, parts: int = 1) -> Tensor:
    """Where the chosen queries lie among [B, L, parts, H] rows; of the first part."""
    token = top.view(batch, heads, -1) + length * torch.arange(batch, device=top.device).view(
        -1, 1, 1
    )
    head = torch.arange(heads, device=top.device)[:, None]
    return (token * (parts * heads) + head).flatten()
