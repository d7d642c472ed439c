"""`StreamResult`: what a model says of one window of a live stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.windows import Windows

__all__ = ["StreamResult", "result_of"]


@dataclass(frozen=True)
class StreamResult:
    """One answer.

    Attributes
    ----------
    start_s, duration_s : float
        Of the window, on the stream's clock.
    probabilities : dict of class or label to float
        Empty where a number is estimated.
    answer : str, list of str or float
        The most probable class, the labels that are there, or the number.
    budgets : dict of modality to float
        Queries in units of ln(length); empty of a model without.
    present : dict of modality to bool
        True where the window has a valid sample.
    """

    start_s: float
    duration_s: float
    probabilities: dict[str, float]
    answer: str | list[str] | float
    budgets: dict[str, float]
    present: dict[str, bool]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the answer is `class`, `labels` or `number`."""
        kind = {str: "class", list: "labels", float: "number"}[type(self.answer)]
        found: dict[str, Any] = {"start_s": self.start_s, "duration_s": self.duration_s}
        found[kind] = self.answer
        if self.probabilities:
            found["probabilities"] = self.probabilities
        return found | {"budgets": self.budgets, "present": self.present}


def result_of(
    model: MaestroClassifier | MaestroRegressor,
    windows: Windows,
    prediction: Prediction,
    start_s: float,
) -> StreamResult:
    """What is said of the one window."""
    names = windows.schema.names
    answer: str | list[str] | float
    probabilities: dict[str, float] = {}
    if isinstance(model, MaestroClassifier):
        classes = [str(c) for c in model.classes_]
        row = prediction.probabilities[0]
        probabilities = {c: float(p) for c, p in zip(classes, row, strict=True)}
        if prediction.independent:
            answer = [
                c for c, there in zip(classes, prediction.logits[0] > 0, strict=True) if there
            ]
        else:
            answer = classes[int(row.argmax())]
    else:
        answer = float(prediction.numbers[0])
    budgets = {}
    if prediction.budgets is not None:
        budgets = {n: float(b) for n, b in zip(names, prediction.budgets[0], strict=True)}
    return StreamResult(
        start_s=start_s,
        duration_s=float(windows.duration_s[0]),
        probabilities=probabilities,
        answer=answer,
        budgets=budgets,
        present={n: bool(p) for n, p in zip(names, windows.present[0], strict=True)},
    )
