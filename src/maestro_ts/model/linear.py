"""A member that is linear in the symbols: it has little to learn, so it errs elsewhere.

Each present modality adds ``W_m φ_m``, each absent one a vector of its own. φ_m holds the Gaussian
centres of the window's summary symbols, mean and deviation of those of its bins per channel and
view, and the mean of its words; all of it is there already for the other members. Beside a network
that sees the order of bins, it is worth more than a second such network (docs/results.md).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.model.dropout import Dropout
from maestro_ts.model.shapes import Shape, shapes
from maestro_ts.recipe import Recipe
from maestro_ts.symbols.alphabet import MISSING, centres
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["LinearMember"]

FLOOR = 1e-6  # of a variance: its root has a slope
PACE = 30.0  # of a step; all weights of a modality move at once, so by the root of their number


class LinearMember(Network):
    """See the module's docstring.

    Parameters
    ----------
    symbolizer : Symbolizer
        Fitted.
    outputs : int
    recipe : Recipe
    """

    separable = True

    def __init__(self, symbolizer: Symbolizer, outputs: int, recipe: Recipe) -> None:
        super().__init__()
        self.shapes = shapes(symbolizer, recipe)
        self.maps = nn.ModuleList(
            nn.Linear(_features(shape), outputs, bias=False) for shape in self.shapes
        )
        self.missing = nn.Parameter(torch.zeros(len(self.shapes), outputs))
        self.duration = nn.Linear(1, outputs) if symbolizer.duration_varies else None
        self.bias = nn.Parameter(torch.zeros(outputs))
        for module in self.maps:
            nn.init.zeros_(module.weight)  # type: ignore[arg-type]
        if self.duration is not None:
            nn.init.zeros_(self.duration.weight)
            nn.init.zeros_(self.duration.bias)
        self.dropout = Dropout(recipe.model.dropout)
        middle = torch.tensor(centres(recipe.symbols.alphabet), dtype=torch.get_default_dtype())
        self.register_buffer("centres", middle, persistent=False)
        self.centres: Tensor

    def forward(self, batch: Batch) -> Output:
        """Logits of a batch of symbols."""
        return Output(self.logits({**_named(batch), "present": batch.present}))

    def logits(self, named: dict[str, Tensor]) -> Tensor:
        """The same of inputs by name, as an exported graph has them, [B, K]."""
        present = named["present"]
        total = self.bias.expand(present.shape[0], -1)  # len() is a number in a traced graph
        for m, (shape, of_one) in enumerate(zip(self.shapes, self.maps, strict=True)):
            pace = PACE / math.sqrt(_features(shape))
            given = of_one(pace * self.dropout(self._of(shape, named)))
            there = present[:, m, None]
            total = total + torch.where(there, given, self.missing[m])
        if self.duration is not None:
            total = total + self.duration(self.centres[named["duration"].long()][:, None])
        return total

    def smoothing(self, given: float, members: int) -> tuple[float, ...]:
        """None: a straight line is not too sure, and smoothed it says too little."""
        return (0.0,)

    def component(self, module: str, *, weighted: bool) -> str:
        """One name for all of it."""
        return "linear member"

    def _of(self, shape: Shape, named: dict[str, Tensor]) -> Tensor:
        """φ of one modality, [B, features]."""
        symbols = named[f"symbols/{shape.name}"]
        mean, deviation = self._over_bins(symbols.flatten(2))
        parts = [mean, deviation]
        if shape.summary:
            parts.append(self.centres[named[f"summary/{shape.name}"].flatten(1).long()])
        if shape.words:
            parts.append(self._over_bins(named[f"words/{shape.name}"])[0])
        return torch.cat(parts, dim=1)

    def _over_bins(self, symbols: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the centres of the bins that are there, [B, L, S] → [B, S]."""
        values = self.centres[symbols.long()]
        there = (symbols != MISSING).to(values.dtype)
        count = there.sum(dim=1).clamp(min=1)
        mean = values.sum(dim=1) / count  # the centre of the missing symbol is 0
        variance = (values.square().sum(dim=1) / count - mean.square()).clamp(min=FLOOR)
        return mean, variance.sqrt()


def _features(shape: Shape) -> int:
    slots = 2 * shape.channels * shape.views
    return slots + shape.channels * shape.summary + shape.words


def _named(batch: Batch) -> dict[str, Tensor]:
    return {f"symbols/{name}": symbols for name, symbols in batch.inputs.items()} | dict(
        batch.extras
    )
