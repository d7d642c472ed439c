"""Transformer over the steps of one grid: the baseline to beat, with sensors hidden in training.

*The paper's* (arXiv 2509.25278) are its name and its number of parameters, 1.68 M on WESAD: the
structure is inferred from it, and ``width`` 256, ``feed_forward`` 1024, ``norm_first`` false has
exactly that many. *Ours*: half the width and norms before the parts. Steps that no modality
reaches are neither keys nor averaged. An absent modality is 0 in all of its channels, which a
present one at its mean is too: ``native`` adds a learned vector for it to every step, 0 at first;
``zero`` adds nothing, and neither does a window that has nothing: it is its head's bias.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.attention import EncoderLayer
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import AttentionSettings
from maestro_ts.baselines.stacked_channels import common_steps, stacked
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["Settings", "Transformer", "front_end", "network"]


class Settings(AttentionSettings):
    """Ours; see the module for the paper's size."""

    norm_first: bool = True
    head_width: int = Field(128, ge=1)
    head_dropout: float = Field(0.5, ge=0, lt=1)


class Transformer(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps, outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, steps: int, outputs: int, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.names = schema.names
        self.embed = nn.Linear(sum(m.channels for m in schema), width)
        self.positions = nn.Parameter(0.02 * torch.randn(steps, width))
        self.absent = None
        if settings.absent == "native" and len(schema) > 1:
            self.absent = nn.Parameter(torch.zeros(len(schema), width))
        self.dropout = Dropout(settings.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(
                width,
                settings.feed_forward,
                settings.heads,
                settings.dropout,
                norm_first=settings.norm_first,
            )
            for _ in range(settings.layers)
        )
        self.norm = nn.LayerNorm(width) if settings.norm_first else nn.Identity()
        self.head = nn.Sequential(
            nn.Linear(width, settings.head_width),
            nn.ReLU(),
            Dropout(settings.head_dropout),
            nn.Linear(settings.head_width, outputs),
        )

    def pooled(self, batch: Batch) -> Tensor:
        """Mean of the steps that are there after the last layer, [B, D]."""
        series, steps = stacked(batch, self.names, self.positions.dtype)
        x = self.embed(series) + self.positions
        if self.absent is not None:
            x = x + ((~batch.present).to(self.absent.dtype) @ self.absent)[:, None]
        x = self.dropout(x)
        for layer in self.layers:
            x = layer(x, steps)
        return masked_mean(self.norm(x).transpose(1, 2), steps)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.pooled(batch)))


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Transformer:
    """Untrained."""
    return Transformer(fitted.schema, common_steps(fitted), n_outputs, recipe.own(Settings))
