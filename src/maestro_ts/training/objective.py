"""What is learned: one class of several, a number, or several labels at once.

Each says what a loss is, which score selects the weights, and what the network's outputs mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.evaluation.prediction import Prediction

__all__ = ["ClassObjective", "LabelObjective", "NumberObjective", "Objective", "objective_from"]


class Objective(ABC):
    """Loss, selection and meaning of a network's outputs.

    Attributes
    ----------
    score : {"f1", "mae"}
        What a validation reports, as ``validation_f1`` or ``validation_mae`` in the log.
    larger_is_better : bool
        Of that score.
    """

    score: ClassVar[str] = "f1"
    larger_is_better: ClassVar[bool] = True

    @abstractmethod
    def outputs(self, classes: int) -> int:
        """How many outputs the network has."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Loss of each window, [B, K] and targets [B] or [B, K] → [B]."""

    @abstractmethod
    def validated(self, prediction: Prediction, targets: NDArray[Any]) -> tuple[float, float]:
        """Score and mean loss, without smoothing, of windows that were not trained on."""

    @abstractmethod
    def meant(self, prediction: Prediction) -> Prediction:
        """What the network's outputs say to a user."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values, from which `objective_from` makes it again; empty for classes."""


@dataclass(frozen=True)
class ClassObjective(Objective):
    """One of K classes: cross-entropy; targets are their numbers."""

    def outputs(self, classes: int) -> int:
        """One a class."""
        return classes

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Cross-entropy with smoothed labels."""
        return F.cross_entropy(outputs, targets, reduction="none", label_smoothing=smoothing)

    def validated(self, prediction: Prediction, targets: NDArray[Any]) -> tuple[float, float]:
        """Macro-F1 and log loss."""
        p = prediction.probabilities
        chosen = np.clip(p[np.arange(len(p)), targets], 1e-12, 1.0)
        return macro_f1(targets, p.argmax(axis=1)), float(-np.log(chosen).mean())

    def meant(self, prediction: Prediction) -> Prediction:
        """Logits, as they are."""
        return prediction

    def to_dict(self) -> dict[str, Any]:
        """Nothing: a run that says nothing has classes."""
        return {}


@dataclass(frozen=True)
class NumberObjective(Objective):
    """A number: its absolute error, rounded off where it is small.

    The network's output is ``(number − center) / scale`` with the median and the mean absolute
    deviation from it of the training numbers: predicting the median costs about 1 whatever the
    unit. The absolute error seeks the median of what a window may be, so that neither a long tail
    nor its logarithm moves what is learned. Huber's loss (Annals of Mathematical Statistics 35,
    1964) is that with a curvature below `BEND`.
    """

    center: float
    scale: float

    score: ClassVar[str] = "mae"
    larger_is_better: ClassVar[bool] = False
    BEND: ClassVar[float] = 0.1  # in mean absolute deviations

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> NumberObjective:
        """The objective for these training numbers, shape (n,); no others may be among them."""
        center = float(np.median(numbers))
        # One number throughout has no spread: its own unit then.
        return cls(center, float(np.abs(numbers - center).mean()) or 1.0)

    def outputs(self, classes: int) -> int:
        """One."""
        return 1

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Huber's loss over its bend; there is nothing to smooth."""
        # In the numbers' own precision first: large ones that differ little would be equal.
        wanted = ((targets - self.center) / self.scale).to(outputs.dtype)
        return F.smooth_l1_loss(outputs[:, 0], wanted, reduction="none", beta=self.BEND)

    def validated(self, prediction: Prediction, targets: NDArray[Any]) -> tuple[float, float]:
        """Mean absolute error in the numbers' unit, and the loss."""
        loss = self.loss(torch.from_numpy(prediction.logits), torch.from_numpy(targets), 0.0)
        error = np.abs(self.meant(prediction).numbers - targets).mean()
        return float(error), float(loss.mean())

    def meant(self, prediction: Prediction) -> Prediction:
        """The numbers themselves, in their unit."""
        return replace(prediction, logits=self.center + self.scale * prediction.logits)

    def to_dict(self) -> dict[str, Any]:
        """Kind and standardisation."""
        return {"kind": "number", "center": self.center, "scale": self.scale}


@dataclass(frozen=True)
class LabelObjective(Objective):
    """Several labels, each there or not: binary cross-entropy of each, their mean.

    Targets are 0 and 1.

    Attributes
    ----------
    weights : (2, K) or None
        How much an absent and a present label counts; 1 if None. Training only.
    """

    weights: NDArray[np.float32] | None = None

    def outputs(self, classes: int) -> int:
        """One a label."""
        return classes

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Mean over the labels; smoothed towards one half."""
        soft = targets * (1.0 - smoothing) + 0.5 * smoothing
        each = F.binary_cross_entropy_with_logits(outputs, soft, reduction="none")
        if self.weights is not None:
            absent, there = torch.from_numpy(self.weights).to(outputs)
            each = each * torch.where(targets > 0, there, absent)
        return each.mean(dim=1)

    def validated(self, prediction: Prediction, targets: NDArray[Any]) -> tuple[float, float]:
        """Mean over the labels of F1 at a probability of one half, and the log loss."""
        outputs = torch.from_numpy(prediction.logits)
        each = F.binary_cross_entropy_with_logits(outputs, torch.from_numpy(targets).double())
        return label_f1(targets > 0, prediction.logits > 0), float(each)

    def meant(self, prediction: Prediction) -> Prediction:
        """Logits whose probabilities do not share one whole."""
        return replace(prediction, independent=True)

    def to_dict(self) -> dict[str, Any]:
        """Kind."""
        return {"kind": "labels"}


def label_f1(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Mean of the labels' F1, [n, K]; of a label in neither truth nor prediction it is 0."""
    hits = (truth & predicted).sum(axis=0)
    total = truth.sum(axis=0) + predicted.sum(axis=0)
    return float((2.0 * hits / np.maximum(total, 1)).mean())


def objective_from(stored: Mapping[str, Any] | None) -> Objective:
    """What `Objective.to_dict` gave; nothing stands for classes.

    Raises
    ------
    KeyError, TypeError, ValueError
        Something else.
    """
    if not stored:
        return ClassObjective()
    if stored["kind"] == "number":
        return NumberObjective(float(stored["center"]), float(stored["scale"]))
    if stored["kind"] == "labels":
        return LabelObjective()
    raise ValueError(f"unknown objective {stored['kind']!r}")
