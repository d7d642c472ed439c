"""GRU-D: a recurrent network whose inputs and state decay with the time since a measurement.

*Published*: Che et al., Scientific Reports 2018. What is not measured is the last value, which
decays towards the training mean; the state decays likewise; which channels are measured enters
the gates. With δ the time since a channel was last measured before a step:
``γ = exp(−max(0, W δ + b))``, W diagonal for the inputs. *Ours*: steps of a grid that hold what
was measured in them (`MeasuredGrid`), of which those at which nothing is measured are passed over
but for the first and the last: δ counts from the window's begin, and its end is when the answer
is asked for. Time is in 48ths of the window, hours in the published two days. Decays of inputs
begin above 0, for below it none would ever move. No batch norm. Static values are measured at
every step. An absent modality is one that is never measured; under ``zero`` it is 0 at every step.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.measured_grid import MeasuredGrid
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.baselines.stacked_channels import common_steps
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["GruD", "Settings", "front_end", "network"]

TIME_PER_WINDOW = 48.0


class Settings(NetworkSettings):
    """Ours: the steps follow each other, so their number is the time that a pass takes."""

    grid_steps: int = Field(256, ge=2)
    width: int = Field(64, ge=1)
    dropout: float = Field(0.3, ge=0, lt=1, description="Of the last state, before the head.")


class InputDecay(nn.Module):
    """One decay per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, since: Tensor) -> Tensor:
        """Times [B, N, C] → factors in (0, 1], [B, N, C]."""
        return torch.exp(-torch.relu(since * self.weight + self.bias))


class GruD(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps, outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, steps: int, outputs: int, settings: Settings) -> None:
        super().__init__()
        width, count = settings.width, sum(m.channels for m in schema)
        self.names, self.steps, self.absent = schema.names, steps, settings.absent
        self.moving = [not m.static for m in schema]
        self.width = width
        self.input_decay = InputDecay(count)
        self.state_decay = nn.Linear(count, width)
        self.given = nn.Linear(2 * count, 3 * width)
        self.gates = nn.Linear(width, 2 * width, bias=False)
        self.candidate = nn.Linear(width, width, bias=False)
        self.dropout = Dropout(settings.dropout)
        self.head = nn.Linear(width, outputs)

    def pooled(self, batch: Batch) -> Tensor:
        """The state at the window's end, [B, D]; 0 in a window without anything."""
        values, known, steps = self._measured(batch)
        values, known, steps, time = taken(values, known, steps)
        held, since = history(values, known, time * (TIME_PER_WINDOW / self.steps))
        inputs = torch.where(known, values, self.input_decay(since) * held)
        given = self.given(torch.cat([inputs, known.to(inputs.dtype)], dim=2)).unbind(dim=1)
        decays = torch.exp(-torch.relu(self.state_decay(since))).unbind(dim=1)
        state = values.new_zeros(len(values), self.width)
        for now, decay, there in zip(given, decays, steps.unbind(dim=1), strict=True):
            state = torch.where(there[:, None], self._step(now, decay * state), state)
        return state

    def _step(self, now: Tensor, state: Tensor) -> Tensor:
        of_gates, of_candidate = now[:, : 2 * self.width], now[:, 2 * self.width :]
        reset, update = torch.sigmoid(of_gates + self.gates(state)).chunk(2, dim=1)
        candidate = torch.tanh(of_candidate + self.candidate(reset * state))
        return (1.0 - update) * state + update * candidate

    def _measured(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Values and whether they are known, [B, T, C], and the steps to be taken, [B, T]."""
        values, known, valid = [], [], []
        for m, name in enumerate(self.names):
            x, lacks = batch.inputs[name].to(self.head.weight.dtype).chunk(2, dim=2)
            there = batch.valid[name]
            if self.absent == "zero":
                lacks = torch.where(batch.present[:, m, None, None], lacks, 0.0)
                there = there | ~batch.present[:, m, None]
            values.append(x)
            known.append(there[..., None] & (lacks == 0))
            valid.append(there)
        steps = torch.stack(
            [v for v, moves in zip(valid, self.moving, strict=True) if moves] or valid
        )
        steps = steps.any(dim=0)
        steps[:, [0, -1]] |= torch.stack(valid).any(dim=0).any(dim=1, keepdim=True)
        return torch.cat(values, dim=2), torch.cat(known, dim=2), steps

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.dropout(self.pooled(batch))))


def taken(values: Tensor, known: Tensor, steps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Only the steps that are taken, as many as the longest window has, in their order.

    Returns
    -------
    values, known [B, N, C]; steps [B, N], False where a window has fewer; time [B, N], in steps
    """
    longest = int(steps.sum(dim=1).max())
    order = (~steps).to(torch.uint8).argsort(dim=1, stable=True)[:, :longest]
    places = order[..., None].expand(-1, -1, values.shape[2])
    kept = steps.gather(1, order)
    return values.gather(1, places), known.gather(1, places), kept, order.to(values.dtype)


def history(values: Tensor, known: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """Last value up to each step, 0 before the first; time since the last one before the step.

    Parameters
    ----------
    values, known : Tensor, [B, N, C]
    time : Tensor, [B, N]

    Returns
    -------
    held, since : Tensor, [B, N, C]
        Where nothing was before, `since` is the time since the first step.
    """
    places = torch.arange(values.shape[1], device=values.device)[:, None]
    last = torch.where(known, places, -1).cummax(dim=1).values
    held = torch.where(last >= 0, values.gather(1, last.clamp(min=0)), 0.0)
    before = torch.cat([torch.full_like(last[:, :1], -1), last[:, :-1]], dim=1).clamp(min=0)
    times = time[..., None].expand_as(values)
    return held, times - times.gather(1, before)


def front_end(recipe: Recipe) -> FrontEnd:
    """What was measured, on the common grid."""
    return MeasuredGrid(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> GruD:
    """Untrained."""
    return GruD(fitted.schema, common_steps(fitted), n_outputs, recipe.own(Settings))
