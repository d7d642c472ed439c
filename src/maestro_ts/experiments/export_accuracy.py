"""What an exported file scores on a run's test windows beside the model it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.deploy.feed import Exported, feed
from maestro_ts.deploy.runner import Runner
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.metrics import accuracy, macro_f1
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Condition, evaluate
from maestro_ts.experiments.learned import classifier, truth_of
from maestro_ts.experiments.main_job import held_out
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.windows import Windows

__all__ = ["AccuracyRow", "Tested", "compare_on_data", "read_tested"]

RATES = (0.0, 0.2, 0.4, 0.6)
BATCH = 64


@dataclass(frozen=True)
class AccuracyRow:
    """Model and file at one rate of missing modalities.

    Attributes
    ----------
    rate : float
    windows : int
    accuracy, macro_f1 : tuple of float
        The model's and the file's.
    same_class : float
        Share of windows with the same most probable class.
    largest_difference : float
        Of a logit.
    """

    rate: float
    windows: int
    accuracy: tuple[float, float]
    macro_f1: tuple[float, float]
    same_class: float
    largest_difference: float


@dataclass(frozen=True)
class Tested:
    """A finished run's model, and the windows of its test subjects."""

    clf: MaestroClassifier
    windows: Windows
    truth: NDArray[Any]


def read_tested(folder: Path, data: Path, progress: Progress) -> Tested:
    """Read the run's data set, or refuse it."""
    found, _, _, windows = held_out(folder, data, progress)
    clf = classifier(found, "an export")
    return Tested(clf, windows.with_schema(clf.schema_), truth_of(clf, windows))


def compare_on_data(tested: Tested, run: Runner, graph: Exported) -> list[AccuracyRow]:
    """Test both with modalities missing, as `evaluate` does."""
    clf, truth = tested.clf, tested.truth
    plan = [Condition("modality", rate) for rate in RATES]
    both = [
        evaluate(predict, tested.windows, truth, plan)
        for predict in (clf.explain, _predictor(run, feed(graph, clf.front_end_)))
    ]
    rows = []
    for model, file in zip(*both, strict=True):
        difference = np.abs(model.prediction.logits - file.prediction.logits).max()
        rows.append(
            AccuracyRow(
                model.condition.rate,
                len(truth),
                (accuracy(truth, model.predicted), accuracy(truth, file.predicted)),
                (macro_f1(truth, model.predicted), macro_f1(truth, file.predicted)),
                float((model.predicted == file.predicted).mean()),
                float(difference),
            )
        )
    return rows


def _predictor(
    run: Runner, given: Callable[[Windows], tuple[Tensor, ...]]
) -> Callable[[Windows], Prediction]:
    def predict(windows: Windows) -> Prediction:
        parts = [
            run(given(windows[first : first + BATCH])).double().numpy()
            for first in range(0, len(windows), BATCH)
        ]
        return Prediction(logits=np.concatenate(parts))

    return predict
