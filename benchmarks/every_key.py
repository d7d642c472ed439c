"""MAESTRO with every query scored on every key: what the sample of keys is compared with.

Same weights, settings and draws as ``maestro``; only the ranking of the queries is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.model.attention import Attention
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro, front_end
from maestro_ts.recipe import Recipe

__all__ = ["EveryKey", "front_end", "network"]


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Network:
    """The network for a fitted front end (registry hook)."""
    assert isinstance(fitted, SymbolFrontEnd)
    return EveryKeyMaestro(fitted.symbolizer, n_outputs, recipe)


class EveryKey(Attention):
    """Attention that ranks its queries exactly."""

    def _places(self, batch: int, length: int, device: torch.device) -> Tensor:
        """All keys, [B, L]."""
        # Draws what the sample draws, so that dropout and all later steps see the same numbers.
        super()._places(batch, length, device)
        return torch.arange(length, device=device).expand(batch, -1)


class EveryKeyMaestro(Maestro):
    """See the module's docstring."""

    def _attention(self, members: int, longest: int, beta: float) -> Attention:
        model = self.recipe.model
        return EveryKey(
            members,
            model.width,
            model.heads,
            longest=longest,
            beta=beta,
            dense=model.attention == "dense",
            dropout=model.dropout,
            soft_width=self.recipe.budget.softness,
        )
