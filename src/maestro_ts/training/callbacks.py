"""What training tells the outside: hooks that draw a bar, write a line, or stop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Callback", "EpochReport"]


@dataclass(frozen=True)
class EpochReport:
    """One line of the training log.

    Attributes
    ----------
    epoch : int
        From 1.
    epochs, step, steps : int
    loss : float
        Mean training loss of the epoch.
    validation_loss, validation_f1 : float or None
        None without validation windows, or in an epoch without a validation.
    validation_mae : float or None
        Mean absolute error, in place of the F1 where a number is learned.
    learning_rate : float
    mean_budget : float or None
    seconds : float
        Since training began, resumed parts included.
    best : bool
        These weights are the best so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    validation_loss: float | None
    validation_f1: float | None
    learning_rate: float
    mean_budget: float | None
    seconds: float
    best: bool
    validation_mae: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON lines."""
        return asdict(self)

    @property
    def measured(self) -> dict[str, float]:
        """The numbers that make curves; those that were not measured are left out."""
        curves = {
            "loss": self.loss,
            "validation_loss": self.validation_loss,
            "validation_f1": self.validation_f1,
            "validation_mae": self.validation_mae,
            "learning_rate": self.learning_rate,
            "mean_budget": self.mean_budget,
        }
        return {name: value for name, value in curves.items() if value is not None}


class Callback:
    """Base class: override what you need. Library code never prints; a callback does."""

    def on_begin(self, steps: int, done: int) -> None:
        """Training begins, `done` of `steps` optimiser steps are behind (resumed)."""

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """An optimiser step is done."""

    def on_epoch(self, report: EpochReport) -> None:
        """An epoch is done."""

    def on_end(self) -> None:
        """Training is over."""
