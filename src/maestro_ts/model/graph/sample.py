"""What queries are scored on: a sample of tokens spread evenly over a row, less their mean.

The score ``max qk − mean qk`` is the largest product with keys less their mean key, and keys are
linear in the tokens: centring the sampled tokens is enough.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.model.graph.lengths import Lengths

__all__ = ["FixedSample", "VaryingSample"]


class FixedSample(nn.Module):
    """Of rows of one length.

    Parameters
    ----------
    length, sampled : int
    like : Tensor
        Of the type and device of the tokens.
    """

    def __init__(self, length: int, sampled: int, like: Tensor) -> None:
        super().__init__()
        places = _places(torch.tensor([length / sampled]), torch.tensor([length]), sampled)[0]
        chosen = nn.functional.one_hot(places, length).to(like)
        self.register_buffer("matrix", chosen - chosen.mean(dim=0))
        self.matrix: Tensor

    def forward(self, x: Tensor, lengths: Lengths | None = None) -> Tensor:
        """[G, B, L, D] → [G, B, S, D]."""
        return self.matrix @ x


class VaryingSample(nn.Module):
    """Of rows of n ≤ N tokens, of a single member.

    Parameters
    ----------
    longest, sampled : int
    like : Tensor
        On the device of the tokens.
    """

    def __init__(self, longest: int, sampled: int, like: Tensor) -> None:
        super().__init__()
        self.sampled = sampled
        # By length: no quotient is computed, so none is rounded differently elsewhere.
        steps = torch.tensor([n / sampled for n in range(longest + 1)], device=like.device)
        self.register_buffer("steps", steps)
        self.steps: Tensor

    def forward(self, x: Tensor, lengths: Lengths | None = None) -> Tensor:
        """[1, B, N, D] → [1, B, S, D]."""
        assert lengths is not None
        steps = self.steps.index_select(0, lengths.count)
        places = _places(steps, lengths.count, self.sampled)
        first = torch.arange(x.shape[1], device=x.device)[:, None] * x.shape[2]
        rows = x.flatten(0, 2).index_select(0, (places + first).flatten())
        chosen = rows.view(1, x.shape[1], self.sampled, x.shape[3])
        return chosen - chosen.mean(dim=2, keepdim=True)


def _places(steps: Tensor, lengths: Tensor, sampled: int) -> Tensor:
    """As `Attention` spreads them at evaluation: [B, S], for [B] lengths and their steps."""
    slot = torch.arange(sampled, device=lengths.device) + 0.5
    places = (slot * steps[:, None]).long()
    return torch.minimum(places, lengths[:, None] - 1)
