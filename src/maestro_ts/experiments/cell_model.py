"""What a cell trains: one model of everything, or models of some modalities each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.experiments.cell import Cell
from maestro_ts.experiments.separate import Separate
from maestro_ts.signals.windows import Windows

__all__ = ["CellModel", "fit_model"]


@dataclass(frozen=True)
class CellModel:
    """A trained entrant.

    Attributes
    ----------
    predict : callable (windows) -> Prediction
        Among all classes of the data set.
    parameters : int
    single : MaestroClassifier or None
        The model, where it is one.
    """

    predict: Callable[[Windows], Prediction]
    parameters: int
    single: MaestroClassifier | None


def fit_model(
    cell: Cell, train: Windows, classes: NDArray[np.str_], start: Path | None
) -> CellModel:
    """Train what the cell asks for, on one thread.

    Parameters
    ----------
    cell : Cell
    train : Windows
    classes : (K,)
        Of the data set, sorted.
    start : Path or None
        Folder of a pre-training.
    """

    def make() -> MaestroClassifier:
        return MaestroClassifier(
            recipe=cell.recipe, random_state=cell.seed, n_threads=1, init=start
        )

    if cell.groups:
        separate = Separate.fit(make, cell.groups, train)
        return CellModel(partial(separate.predict, classes=classes), separate.parameters, None)
    clf = make().fit(train)
    parameters = sum(p.numel() for p in clf.network_.parameters())
    return CellModel(_among(classes, clf), parameters, clf)


def _among(classes: NDArray[np.str_], clf: MaestroClassifier) -> Callable[[Windows], Prediction]:
    """Predictions among all classes of the data set; one that training lacked is impossible."""
    columns = np.searchsorted(classes, np.asarray(clf.classes_).astype(str))

    def predict(windows: Windows) -> Prediction:
        logits = np.full((len(windows), len(classes)), -np.inf)
        logits[:, columns] = clf.explain(windows).logits
        return Prediction(logits)

    return predict
