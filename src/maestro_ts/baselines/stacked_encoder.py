"""Pre-norm Transformer encoders of equal size, each with weights of its own, run as one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.baselines.dropout import Dropout

__all__ = ["StackedEncoder"]


class StackedEncoder(nn.Module):
    """Layers of attention, to itself or to a source that stays as it is; a norm at the end.

    Parameters
    ----------
    members, width, layers, heads : int
        P encoders of width D.
    dropout : float
    """

    def __init__(self, members: int, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(members, width, heads, dropout) for _ in range(layers))
        self.norm = StackedNorm(members, width)

    def forward(self, x: Tensor, keys: Tensor, source: Tensor | None = None) -> Tensor:
        """Queries [P, B, T, D], which keys are there [P, B, T], and the source → [P, B, T, D]."""
        for layer in self.layers:
            x = layer(x, x if source is None else source, keys)
        result: Tensor = self.norm(x)
        return result


class Layer(nn.Module):
    """Attention and a feed-forward of four times the width; ReLU."""

    def __init__(self, members: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.project = StackedLinear(members, width, width, parts=3)
        self.out = StackedLinear(members, width, width)
        self.inner = StackedLinear(members, width, 4 * width)
        self.outer = StackedLinear(members, 4 * width, width)
        self.norm = StackedNorm(members, width)
        self.second_norm = StackedNorm(members, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, source: Tensor, keys: Tensor) -> Tensor:
        """As the encoder's."""
        queries = self.project(self.norm(x), slice(0, self.width))
        both = self.project(self.norm(source), slice(self.width, 3 * self.width))
        q, k, v = (self._by_head(part) for part in (queries, *both.chunk(2, dim=-1)))
        keys = keys.flatten(0, 1)
        some = keys.any(dim=1)
        mask = (keys | ~some[:, None])[:, None, None, :]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = self.out(mixed.transpose(1, 2).reshape(x.shape))
        mixed = torch.where(some.view(*x.shape[:2], 1, 1), mixed, 0.0)
        x = x + self.dropout(mixed)
        hidden = self.dropout(torch.relu(self.inner(self.second_norm(x))))
        result: Tensor = x + self.dropout(self.outer(hidden))
        return result

    def _by_head(self, x: Tensor) -> Tensor:
        """[P, B, T, D] → [P · B, H, T, D / H]."""
        split = x.reshape(x.shape[0] * x.shape[1], x.shape[2], self.heads, -1)
        return split.transpose(1, 2)


class StackedLinear(nn.Module):
    """A linear map per member, Xavier-uniform, biases 0."""

    def __init__(self, members: int, inputs: int, outputs: int, parts: int = 1) -> None:
        super().__init__()
        reach = (6.0 / (inputs + outputs)) ** 0.5
        start = torch.empty(members, inputs, parts * outputs).uniform_(-reach, reach)
        self.weight = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros(members * parts * outputs))  # no decay of vectors

    def forward(self, x: Tensor, part: slice = slice(None)) -> Tensor:
        """[P, B, T, D] → [P, B, T, D'], or some of its columns."""
        weight = self.weight[:, :, part]
        bias = self.bias.view(len(weight), 1, -1)[:, :, part]
        return torch.baddbmm(bias, x.flatten(1, 2), weight).view(*x.shape[:3], -1)


class StackedNorm(nn.Module):
    """A layer norm per member."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.shape = (members, 1, 1, width)
        self.weight = nn.Parameter(torch.ones(members * width))
        self.bias = nn.Parameter(torch.zeros(members * width))

    def forward(self, x: Tensor) -> Tensor:
        """[P, B, T, D] → the same."""
        plain = F.layer_norm(x, x.shape[-1:])
        return plain * self.weight.view(self.shape) + self.bias.view(self.shape)
