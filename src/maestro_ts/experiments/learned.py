"""What a job does one way for classes and another for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.calibration import Calibration
from maestro_ts.evaluation.number_results import summarise_numbers
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.evaluation.results import Results, summarise
from maestro_ts.experiments.loading import LoadedData
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.windows import Windows
from maestro_ts.training.labels import class_numbers

__all__ = [
    "Estimator",
    "calibrations",
    "classes_of",
    "classifier",
    "estimator_for",
    "summarised",
    "truth_of",
]

Estimator = MaestroClassifier | MaestroRegressor


def estimator_for(card: Card) -> type[MaestroClassifier] | type[MaestroRegressor]:
    """The estimator that a data set asks for."""
    return MaestroClassifier if card.target is None else MaestroRegressor


def truth_of(model: Estimator, windows: Windows) -> NDArray[Any]:
    """Labels of windows as the model's results are compared with: class numbers, or numbers."""
    assert windows.labels is not None
    if isinstance(model, MaestroClassifier):
        return class_numbers(windows.labels, model.classes_)
    return windows.labels.astype(np.float64)


def classes_of(model: Estimator) -> NDArray[Any] | None:
    """Classes of a model; None where it estimates a number."""
    return model.classes_ if isinstance(model, MaestroClassifier) else None


def calibrations(models: Sequence[Estimator]) -> list[Calibration | None]:
    """The calibration of each; numbers have none."""
    return [m.calibration_ if isinstance(m, MaestroClassifier) else None for m in models]


def classifier(model: Estimator, purpose: str) -> MaestroClassifier:
    """The same model, which must have classes.

    Raises
    ------
    ConfigError
        It estimates a number, of which `purpose` cannot be asked.
    """
    if not isinstance(model, MaestroClassifier):
        raise ConfigError(f"this run estimates a number: {purpose} is for classes.")
    return model


def summarised(
    models: Sequence[Estimator],
    pooled: Sequence[Outcome],
    folds: Sequence[Sequence[Outcome]],
    loaded: LoadedData,
    *,
    about: dict[str, Any],
    rates: Sequence[float],
) -> Results:
    """Results of the models of one or several folds."""
    schema, card, first = loaded.windows.schema, loaded.card, models[0]
    if isinstance(first, MaestroClassifier):
        classes = [str(c) for c in first.classes_]
        return summarise(
            pooled,
            folds,
            about=about,
            classes=classes,
            schema=schema,
            rates=rates,
            positive=card.positive,
        )
    assert card.target is not None
    return summarise_numbers(
        pooled,
        folds,
        about=about,
        schema=schema,
        rates=rates,
        name=card.target.name,
        unit=card.target.unit,
        medians=[m.objective_.center for m in models],  # type: ignore[attr-defined]
    )
