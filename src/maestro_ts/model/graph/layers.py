"""The layers of the graph besides attention: for G stacked modalities, [G, B, L, D] each."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.distil import Distil
from maestro_ts.model.experts import Experts
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.graph.lengths import Rows
from maestro_ts.model.stacked import StackedLinear, StackedNorm

__all__ = [
    "GraphDistil",
    "GraphExperts",
    "GraphFeedForward",
    "GraphLinear",
    "GraphNorm",
    "by_member",
]

LOW = -1e30  # below every token


def by_member(weight: Tensor) -> Tensor:
    """[G, …] → what multiplies [G, B, L, D]; of one member plainly: runtimes pack such weights."""
    return weight[0] if len(weight) == 1 else weight[:, None].contiguous()


class GraphLinear(nn.Module):
    """A fitted `StackedLinear`."""

    def __init__(self, linear: StackedLinear) -> None:
        super().__init__()
        self.register_buffer("weight", by_member(linear.weight.detach()))
        self.register_buffer("bias", by_member(linear.bias.detach()))
        self.weight: Tensor
        self.bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Each row by the weights of its member."""
        return x @ self.weight + self.bias


class GraphNorm(nn.Module):
    """A fitted `StackedNorm` or ``nn.LayerNorm``."""

    def __init__(self, norm: StackedNorm | nn.LayerNorm) -> None:
        super().__init__()
        self.single = norm.weight.numel() == norm.weight.shape[-1]
        shape = (-1,) if self.single else (len(norm.weight), 1, 1, norm.weight.shape[-1])
        self.register_buffer("weight", norm.weight.detach().view(shape))
        self.register_buffer("bias", norm.bias.detach().view(shape))
        self.weight: Tensor
        self.bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        if self.single:
            return F.layer_norm(x, x.shape[-1:], self.weight, self.bias)
        return F.layer_norm(x, x.shape[-1:]) * self.weight + self.bias


class GraphFeedForward(nn.Module):
    """A fitted `FeedForward`."""

    def __init__(self, feed_forward: FeedForward) -> None:
        super().__init__()
        self.rise = GraphLinear(feed_forward.rise)
        self.fall = GraphLinear(feed_forward.fall)

    def forward(self, x: Tensor) -> Tensor:
        """Token by token."""
        fallen: Tensor = self.fall(F.gelu(self.rise(x)))
        return fallen


class GraphDistil(nn.Module):
    """A fitted `Distil`: output j sees the tokens 2j − 1, 2j and 2j + 1."""

    def __init__(self, distil: Distil) -> None:
        super().__init__()
        self.conv = GraphLinear(distil.conv)

    def forward(self, x: Tensor, rows: Rows | None = None, after: Rows | None = None) -> Tensor:
        """[G, B, L, D] → [G, B, L', D]; padding before and after, where there is any, ends as 0."""
        high = x
        if rows is not None:
            high = torch.where(rows.column, x, LOW)
            x = torch.where(rows.column, x, 0.0)
        left, pairs = _neighbours(x, 0.0)
        mixed = self.conv(torch.cat([left, pairs], dim=3))
        left, pairs = _neighbours(high, LOW)
        pooled = torch.maximum(left, torch.maximum(*pairs.chunk(2, dim=3)))
        result: Tensor = mixed + pooled
        return result if after is None else torch.where(after.column, result, 0.0)


def _neighbours(x: Tensor, edge: float) -> tuple[Tensor, Tensor]:
    """Left tokens [G, B, L', D], and middle and right ones side by side [G, B, L', 2 D]."""
    if x.shape[2] % 2:
        x = F.pad(x, (0, 0, 0, 1), value=edge)
    width = x.shape[3]
    pairs = x.reshape(*x.shape[:2], x.shape[2] // 2, 2 * width)
    # One later: the last falls off.
    return F.pad(pairs[..., width:], (0, 0, 1, -1), value=edge), pairs


class GraphExperts(nn.Module):
    """A fitted `Experts`: every expert serves every token, with weight 0 where it is not chosen."""

    def __init__(self, experts: Experts) -> None:
        super().__init__()
        self.top_k = experts.settings.top_k
        self.router = experts.router
        pairs = [_maps(expert) for expert in experts.experts]
        self.hidden = pairs[0][0].out_features
        self.register_buffer("balance", experts.bias)
        self.register_buffer("rise", torch.cat([rise.weight.detach() for rise, _ in pairs]).t())
        self.register_buffer("rise_bias", torch.cat([rise.bias.detach() for rise, _ in pairs]))
        self.register_buffer("fall", torch.cat([fall.weight.detach().t() for _, fall in pairs]))
        self.register_buffer("fall_bias", torch.stack([fall.bias.detach() for _, fall in pairs]))
        self.balance: Tensor
        self.rise: Tensor
        self.rise_bias: Tensor
        self.fall: Tensor
        self.fall_bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """[…, D] → […, out]."""
        scores = self.router(x).softmax(dim=-1)
        chosen = (scores + self.balance).topk(self.top_k, dim=-1).indices
        weights = torch.zeros_like(scores).scatter(-1, chosen, scores.gather(-1, chosen))
        hidden = torch.relu(x @ self.rise + self.rise_bias)
        # Before the second map: it then adds up the experts as well.
        each = hidden.view(*weights.shape, self.hidden)
        weighted = (each * weights[..., None]).flatten(-2)
        return weighted @ self.fall + weights @ self.fall_bias


def _maps(expert: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    assert isinstance(expert, nn.Sequential)
    rise, _, fall = expert
    assert isinstance(rise, nn.Linear)
    assert isinstance(fall, nn.Linear)
    return rise, fall
