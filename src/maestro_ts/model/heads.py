"""Heads: pooled tokens → outputs."""

from __future__ import annotations

from torch import Tensor, nn

from maestro_ts.model.dropout import Dropout
from maestro_ts.model.experts import Experts
from maestro_ts.recipe import ExpertSettings

__all__ = ["ExpertHead", "Head"]


class Head(nn.Module):
    """D → D → K with ReLU and dropout."""

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), Dropout(dropout), nn.Linear(width, outputs)
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, D] → [B, K]."""
        result: Tensor = self.layers(pooled)
        return result


class ExpertHead(nn.Module):
    """Experts as classifiers after the fusion: the placement of the paper's text."""

    def __init__(self, width: int, outputs: int, settings: ExpertSettings) -> None:
        super().__init__()
        self.mixer = Experts(width, outputs, settings)

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, D] → [B, K]."""
        logits: Tensor = self.mixer(pooled)[0]
        return logits
