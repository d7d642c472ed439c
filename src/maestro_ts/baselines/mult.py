"""MulT, the Multimodal Transformer: every modality attends to every other, pair by pair.

*Published*: Tsai et al., ACL 2019: a stream per modality, a cross-modal encoder per ordered pair
whose keys are the other stream as it was embedded, what a modality received side by side through
an encoder of its own, and a residual head. The paper's (arXiv 2509.25278) has 3.71 M parameters on
WESAD, as has width 8 with one cross and three memory layers and the pair of a modality with itself,
the default here; the number of heads leaves no trace. *Ours*: no causal mask and the mean of the
steps instead of the last one; positions by steps and absence by masks, where public code takes both
from values, so that a 0 is padding. Pairs with an absent key modality give 0, and an absent
modality asks with a learned vector; under ``zero`` it is 0, and present.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.attention import sine_positions
from maestro_ts.baselines.conv_encoder import seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import AttentionSettings
from maestro_ts.baselines.stacked_channels import common_steps
from maestro_ts.baselines.stacked_encoder import StackedEncoder
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["Mult", "Settings", "front_end", "network"]


class Settings(AttentionSettings):
    """Work grows with the square of modalities and of steps."""

    grid_hz: float = Field(16.0, gt=0)
    grid_steps: int = Field(128, ge=2)
    width: int = Field(8, ge=2)
    heads: int = Field(4, ge=1)
    layers: int = Field(1, ge=1, description="Of every pair.")
    memory_layers: int = Field(3, ge=1, description="Over what a modality received.")
    embedding_dropout: float = Field(0.25, ge=0, lt=1)


class Mult(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps, outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, steps: int, outputs: int, settings: Settings) -> None:
        super().__init__()
        width, count = settings.width, len(schema)
        self.names, self.absent = schema.names, settings.absent
        self.embeddings = nn.ModuleList(nn.Linear(m.channels, width, bias=False) for m in schema)
        self.missing = None
        if settings.absent == "native" and count > 1:
            self.missing = nn.Parameter(0.02 * torch.randn(count, width))
        positions = sine_positions(torch.arange(float(steps)), width)
        self.register_buffer("positions", positions, persistent=False)
        self.dropout = Dropout(settings.embedding_dropout)
        self.pairs = StackedEncoder(
            count * count, width, settings.layers, settings.heads, settings.dropout
        )
        self.memories = StackedEncoder(
            count, count * width, settings.memory_layers, settings.heads, settings.dropout
        )
        whole = count * count * width
        self.mix = nn.Sequential(
            nn.Linear(whole, whole), nn.ReLU(), Dropout(settings.dropout), nn.Linear(whole, whole)
        )
        self.head = nn.Linear(whole, outputs)

    def pooled(self, batch: Batch) -> Tensor:
        """Means of what every modality received, side by side, [B, M M D]."""
        streams, there, present = self._streams(batch)
        count, size, steps = there.shape
        asked = streams[:, None].expand(-1, count, -1, -1, -1).flatten(0, 1)  # i of (i, j)
        source = streams.expand(count, -1, -1, -1, -1).flatten(0, 1)  # j
        keys = there.expand(count, -1, -1, -1).flatten(0, 1)
        got = self.pairs(asked, keys, source)
        got = torch.where(present.repeat(count, 1)[..., None, None], got, 0.0)
        got = got.view(count, count, size, steps, -1).permute(0, 2, 3, 1, 4).flatten(3)
        read = there | ~present[..., None]  # an absent modality asks at every step
        memories = self.memories(got, read)
        means = masked_mean(memories.flatten(0, 1).transpose(1, 2), read.flatten(0, 1))
        return means.view(count, size, -1).transpose(0, 1).flatten(1)

    def _streams(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Embedded [M, B, T, D], which steps are there [M, B, T], and who is present [M, B]."""
        weight, streams, there = self.head.weight, [], []
        present = batch.present | (self.absent == "zero")
        positions = self.get_buffer("positions")
        for m, name in enumerate(self.names):
            there.append(seen(batch.valid[name], batch.present[:, m], self.absent))
            x = self.embeddings[m](batch.inputs[name].to(weight.dtype))
            x = x * math.sqrt(x.shape[2])
            if self.missing is not None:
                x = torch.where(present[:, m, None, None], x, self.missing[m])
            streams.append(self.dropout(x + positions))
        return torch.stack(streams), torch.stack(there), present.T

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        h = self.pooled(batch)
        return Output(self.head(h + self.mix(h)))


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid, at most 128 steps."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Mult:
    """Untrained."""
    return Mult(fitted.schema, common_steps(fitted), n_outputs, recipe.own(Settings))
