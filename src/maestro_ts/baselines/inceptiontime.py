"""InceptionTime: modules of parallel convolutions of unlike lengths, and an ensemble of networks.

*Published*: Ismail Fawaz et al., DMKD 2020: six modules of three kernels and a pooling branch, a
shortcut over every three, five networks that differ in what was drawn, whose probabilities are
averaged. *Ours*: odd kernels (39, 19, 9), because even ones move features by half a step
(``kernel`` 40 has the published 40, 20, 10); one network unless ``members`` says more, each trained
by its own loss; PyTorch's initial weights; selection by held-out subjects instead of the training
loss, and steps that no modality reaches: they stay 0 after every module, are never a maximum, have
no say in means and deviations, and are not averaged. An absent modality is 0; ``native`` says so
by one more channel per modality, ``zero`` does not.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import (
    SameConv,
    StepNorm,
    kept,
    masked_max,
    masked_mean,
    some_missing,
)
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.baselines.opinions import joint_answer
from maestro_ts.baselines.stacked_channels import presence_channels, stacked
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["InceptionTime", "Settings", "front_end", "network"]


class Settings(NetworkSettings):
    """One network as published, but for odd kernels."""

    width: int = Field(32, ge=1, description="Of each of a module's four branches.")
    kernel: int = Field(39, ge=4, description="The longest; the others are a half and a quarter.")
    shortcuts: int = Field(2, ge=1, description="Each of them around three modules.")
    members: int = Field(1, ge=1, description="Networks (published: 5); cost follows.")


class InceptionTime(Network):
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
        self.members = nn.ModuleList(Member(inputs, settings) for _ in range(settings.members))
        self.heads = nn.ModuleList(
            nn.Linear(4 * settings.width, outputs) for _ in range(settings.members)
        )

    def pooled(self, batch: Batch) -> Tensor:
        """Every member's mean of the steps that are there, side by side, [B, S D]."""
        return torch.cat(self._features(batch), dim=1)

    def _features(self, batch: Batch) -> list[Tensor]:
        series, there = stacked(batch, self.names, next(self.parameters()).dtype)
        steps = some_missing(there)
        x = presence_channels(batch, series) if self.flags else series
        x = kept(x.transpose(1, 2), steps)
        return [masked_mean(member(x, steps), steps) for member in self.members]

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        features = zip(self.heads, self._features(batch), strict=True)
        answers = [head(pooled) for head, pooled in features]
        if len(answers) == 1:
            return Output(answers[0])
        members = torch.stack(answers)
        return Output(joint_answer(members), members=members)


class Member(nn.Module):
    """Modules, and a shortcut around every three."""

    def __init__(self, inputs: int, settings: Settings) -> None:
        super().__init__()
        width = 4 * settings.width
        begins = [inputs if i == 0 else width for i in range(settings.shortcuts)]
        self.inceptions = nn.ModuleList(
            Inception(begin if i == 0 else width, settings) for begin in begins for i in range(3)
        )
        self.shortcuts = nn.ModuleList(SameConv(begin, width, 1) for begin in begins)
        self.norms = nn.ModuleList(StepNorm(width) for _ in begins)

    def forward(self, x: Tensor, steps: Tensor | None) -> Tensor:
        """[B, C, T] → [B, D, T], 0 at steps that are not there."""
        for i, (shortcut, norm) in enumerate(zip(self.shortcuts, self.norms, strict=True)):
            around = norm(shortcut(x), steps)
            for module in self.inceptions[3 * i : 3 * i + 3]:
                x = module(x, steps)
            x = torch.relu(x + around)
        return x


class Inception(nn.Module):
    """Three convolutions of a narrow input and one of its neighbours' maxima."""

    def __init__(self, inputs: int, settings: Settings) -> None:
        super().__init__()
        width, kernel = settings.width, settings.kernel
        self.narrow = SameConv(inputs, width, 1) if inputs > 1 else nn.Identity()
        narrow = width if inputs > 1 else 1
        self.branches = nn.ModuleList(
            SameConv(narrow, width, length) for length in (kernel, kernel // 2, kernel // 4)
        )
        self.of_maxima = SameConv(inputs, width, 1)
        self.norm = StepNorm(4 * width)

    def forward(self, x: Tensor, steps: Tensor | None) -> Tensor:
        """[B, C, T] → [B, 4 W, T], 0 at steps that are not there."""
        narrow = self.narrow(x)
        found = [branch(narrow) for branch in self.branches]
        found.append(self.of_maxima(masked_max(x, steps)))
        return torch.relu(self.norm(torch.cat(found, dim=1), steps))


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> InceptionTime:
    """Untrained."""
    return InceptionTime(fitted.schema, n_outputs, recipe.own(Settings))
