"""Late fusion: a classifier of its own per modality, and the mean of their probabilities.

*Ours throughout*, from the name in the paper: an encoder at the modality's own rate, two linear
maps, and the mean over those that are present. Each member learns by its own loss where its
modality is there, as if trained alone: none sees the joint answer, and none is changed by another's
absence (putting features side by side, which often goes by this name, is no ensemble). Under
``zero`` an absent modality's member answers too, to 0 throughout. Where nothing is there all
classes are alike. For one class per window, or a number: what several labels need is not averaged.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.conv_encoder import ConvEncoder, seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.baselines.opinions import joint_answer
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["LateFusion", "Settings", "front_end", "network"]


class Settings(NetworkSettings):
    """The grid is each modality's own rate, with at most `grid_steps`."""

    width: int = Field(64, ge=2, description="Of the encoders; their first block has half.")
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    head_dropout: float = Field(0.3, ge=0, lt=1)


class LateFusion(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, outputs: int, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.names, self.absent = schema.names, settings.absent
        self.encoders = nn.ModuleList(
            ConvEncoder(m.channels, (width // 2, width, width), settings.encoder_dropout)
            for m in schema
        )
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width),
                nn.ReLU(),
                Dropout(settings.head_dropout),
                nn.Linear(width, outputs),
            )
            for _ in schema
        )

    def pooled(self, batch: Batch) -> Tensor:
        """What every encoder found, side by side, [B, M D]; 0 of an absent modality."""
        return self._encoded(batch).flatten(1)

    def _encoded(self, batch: Batch) -> Tensor:
        dtype = next(self.parameters()).dtype
        found = []
        for m, (name, encoder) in enumerate(zip(self.names, self.encoders, strict=True)):
            steps = seen(batch.valid[name], batch.present[:, m], self.absent)
            x = batch.inputs[name].to(dtype).transpose(1, 2)
            found.append(masked_mean(*encoder(x, steps)))
        return torch.stack(found, dim=1)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K], and those of every member."""
        encoded = self._encoded(batch).unbind(dim=1)
        members = torch.stack([head(x) for head, x in zip(self.heads, encoded, strict=True)])
        there = batch.present.T if self.absent == "native" else torch.ones_like(batch.present.T)
        # Nobody learns from a window without its modality.
        members = torch.where(there[..., None], members, 0.0)
        return Output(joint_answer(members, there), members=members)


def front_end(recipe: Recipe) -> FrontEnd:
    """Each modality at its own rate."""
    return GridFrontEnd(recipe.own(Settings), native=True)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> LateFusion:
    """Untrained."""
    return LateFusion(fitted.schema, n_outputs, recipe.own(Settings))
