"""ResNet over time: three blocks of three convolutions with a shortcut.

*Published*: Wang, Yan, Oates, IJCNN 2017, as reviewed by Ismail Fawaz et al., DMKD 2019: widths
64, 128 and 128, kernels 8, 5 and 3, no stride. Not the ResNet of the same name for ECG, with 16
blocks of stride 2. *Ours*: no biases before a batch norm, selection by held-out subjects instead
of the training loss, and steps that no modality reaches: they stay 0 after every part, have no say
in means and deviations, and are not averaged. An absent modality is 0; ``native`` says so by one
more channel per modality, ``zero`` does not.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import SameConv, StepNorm, kept, masked_mean, some_missing
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.baselines.stacked_channels import presence_channels, stacked
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["ResNet1d", "Settings", "front_end", "network"]

KERNELS = (8, 5, 3)


class Settings(NetworkSettings):
    """As published."""

    width: int = Field(64, ge=1, description="Of the first block; the others have twice as many.")


class ResNet1d(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, outputs: int, settings: Settings) -> None:
        super().__init__()
        self.names, self.flags = schema.names, settings.absent == "native"
        inputs = sum(m.channels for m in schema) + (len(schema) if self.flags else 0)
        widths = (inputs, settings.width, 2 * settings.width, 2 * settings.width)
        self.blocks = nn.ModuleList(Block(before, after) for before, after in pairwise(widths))
        self.head = nn.Linear(widths[-1], outputs)

    def pooled(self, batch: Batch) -> Tensor:
        """Mean of the steps that are there after the last block, [B, D]."""
        series, there = stacked(batch, self.names, self.head.weight.dtype)
        steps = some_missing(there)
        x = presence_channels(batch, series) if self.flags else series
        x = kept(x.transpose(1, 2), steps)
        for block in self.blocks:
            x = block(x, steps)
        return masked_mean(x, steps)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.pooled(batch)))


class Block(nn.Module):
    """Three convolutions, each normalised, and a shortcut around them."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            SameConv(width if i else inputs, width, kernel) for i, kernel in enumerate(KERNELS)
        )
        self.norms = nn.ModuleList(StepNorm(width) for _ in KERNELS)
        self.shortcut = SameConv(inputs, width, 1) if inputs != width else nn.Identity()
        self.shortcut_norm = StepNorm(width)

    def forward(self, x: Tensor, steps: Tensor | None) -> Tensor:
        """[B, C, T] → [B, C', T], 0 at steps that are not there."""
        around = self.shortcut_norm(self.shortcut(x), steps)
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(x), steps)
            if i < len(KERNELS) - 1:
                x = torch.relu(x)
        return torch.relu(x + around)


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> ResNet1d:
    """Untrained."""
    return ResNet1d(fitted.schema, n_outputs, recipe.own(Settings))
