"""Masked-token Transformer: patches of every modality as tokens, those that are there attend.

*In the style of* LSM-2 (arXiv 2506.05321): what was not measured and what training hides are the
same, tokens that leave the attention, and nothing is imputed. Its weights and its pre-training on
day-long records are not here. *Ours*: the sizes; patches of equal time at each modality's own rate,
so that unequal rates meet as equally long tokens; positions by sine and cosine of the patch's
middle, never of its values; a learned vector per modality. A patch without a valid sample is no
token; inside of another one a missing sample is 0. Tokens of an absent modality are not there;
under ``zero`` they are, and 0.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.attention import EncoderLayer, sine_positions
from maestro_ts.baselines.conv_encoder import seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import AttentionSettings
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["MaskedTokenTransformer", "Settings", "front_end", "network"]


class Settings(AttentionSettings):
    """The grid is each modality's own rate, with at most `grid_steps`."""

    width: int = Field(64, ge=2)
    layers: int = Field(3, ge=1)
    heads: int = Field(4, ge=1)
    feed_forward: int = Field(128, ge=1)
    patches: int = Field(16, ge=1, description="Per window and modality, at most.")
    head_dropout: float = Field(0.3, ge=0, lt=1)


class MaskedTokenTransformer(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps : dict of modality name to int
    outputs : int
    settings : Settings
    """

    def __init__(
        self, schema: Schema, steps: dict[str, int], outputs: int, settings: Settings
    ) -> None:
        super().__init__()
        width = settings.width
        self.names, self.absent = schema.names, settings.absent
        self.lengths = [math.ceil(steps[name] / settings.patches) for name in self.names]
        self.embeddings = nn.ModuleList(
            nn.Linear(m.channels * length, width)
            for m, length in zip(schema, self.lengths, strict=True)
        )
        self.modality = nn.Parameter(0.02 * torch.randn(len(schema), width))
        for m, (name, length) in enumerate(zip(self.names, self.lengths, strict=True)):
            count = math.ceil(steps[name] / length)
            middles = (torch.arange(count) + 0.5) * length * settings.patches / steps[name]
            self.register_buffer(f"times_{m}", sine_positions(middles, width), persistent=False)
        self.dropout = Dropout(settings.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(width, settings.feed_forward, settings.heads, settings.dropout)
            for _ in range(settings.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Sequential(Dropout(settings.head_dropout), nn.Linear(width, outputs))

    def pooled(self, batch: Batch) -> Tensor:
        """Mean of the tokens that are there after the last layer, [B, D]."""
        tokens, there = [], []
        for m, name in enumerate(self.names):
            steps = seen(batch.valid[name], batch.present[:, m], self.absent)
            x = batch.inputs[name].to(self.modality.dtype)
            values, patches = in_patches(x, steps, self.lengths[m])
            there.append(patches)
            place = self.get_buffer(f"times_{m}") + self.modality[m]
            tokens.append(self.embeddings[m](values) + place)
        x, mask = self.dropout(torch.cat(tokens, dim=1)), torch.cat(there, dim=1)
        for layer in self.layers:
            x = layer(x, mask)
        return masked_mean(self.norm(x).transpose(1, 2), mask)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.pooled(batch)))


def in_patches(x: Tensor, steps: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Values [B, T, C] as patches [B, P, length · C], and which hold a step that is there, [B, P].

    The last one is filled with zeros.
    """
    lacking = -x.shape[1] % length
    values = F.pad(x, (0, 0, 0, lacking)).view(len(x), -1, length * x.shape[2])
    return values, F.pad(steps, (0, lacking)).view(len(x), -1, length).any(dim=2)


def front_end(recipe: Recipe) -> FrontEnd:
    """Each modality at its own rate."""
    return GridFrontEnd(recipe.own(Settings), native=True)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> MaskedTokenTransformer:
    """Untrained."""
    assert isinstance(fitted, GridFrontEnd)
    return MaskedTokenTransformer(fitted.schema, fitted.steps, n_outputs, recipe.own(Settings))
