"""iTransformer: a token per channel instead of per step, and attention between channels.

*Published*: Liu et al., ICLR 2024, for forecasting: one linear map of all steps for every channel,
layers with the norm behind each part, no positions. The paper's (arXiv 2509.25278) is the size of
12.82 M parameters on WESAD, which ``width`` 512, ``layers`` 8, ``feed_forward`` 512, ``readout``
mean has. *Ours*: the head; a learned vector per channel, for tokens that are averaged do not tell
which sensor is which (``mean`` has neither, as published); no norm over time within a window, which
would erase the level that temperature and EDA speak by. A step that is not there is 0. Tokens of an
absent modality are no keys, and 0 in the end; under ``zero`` they are what a channel of zeros is.
"""

from __future__ import annotations

from typing import Literal

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

__all__ = ["ITransformer", "Settings", "front_end", "network"]

HEAD_WIDTH = 128  # of the readout by the mean


class Settings(AttentionSettings):
    """Ours; see the module for the paper's size."""

    layers: int = Field(3, ge=1)
    readout: Literal["flat", "mean"] = Field(
        "flat", description="All tokens side by side, or their mean, which knows no sensors."
    )


class ITransformer(Network):
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
        self.names, self.absent = schema.names, settings.absent
        self.channels = [m.channels for m in schema]
        count, self.flat = sum(self.channels), settings.readout == "flat"
        self.embed = nn.Linear(steps, width)
        self.channel = nn.Parameter(0.02 * torch.randn(count, width)) if self.flat else None
        self.dropout = Dropout(settings.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(
                width, settings.feed_forward, settings.heads, settings.dropout, norm_first=False
            )
            for _ in range(settings.layers)
        )
        self.norm = nn.LayerNorm(width)
        if self.flat:
            self.head = nn.Sequential(
                nn.GELU(), Dropout(settings.dropout), nn.Linear(count * width, outputs)
            )
        else:
            self.head = nn.Sequential(
                nn.Linear(width, HEAD_WIDTH),
                nn.ReLU(),
                Dropout(settings.dropout),
                nn.Linear(HEAD_WIDTH, outputs),
            )

    def pooled(self, batch: Batch) -> Tensor:
        """All tokens side by side, [B, C D], or their mean, [B, D]."""
        series, _ = stacked(batch, self.names, self.embed.weight.dtype)
        x = self.embed(series.transpose(1, 2))  # [B, C, D]
        if self.channel is not None:
            x = x + self.channel
        x = self.dropout(x)
        present = batch.present if self.absent == "native" else torch.ones_like(batch.present)
        there = torch.cat(
            [present[:, m, None].expand(-1, count) for m, count in enumerate(self.channels)], dim=1
        )
        for layer in self.layers:
            x = layer(x, there)
        x = self.norm(x)
        if self.flat:
            return torch.where(there[..., None], x, 0.0).flatten(1)
        return masked_mean(x.transpose(1, 2), there)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.pooled(batch)))


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> ITransformer:
    """Untrained."""
    return ITransformer(fitted.schema, common_steps(fitted), n_outputs, recipe.own(Settings))
