"""Models that were each trained on some modalities alone, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, MaestroError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.windows import Windows

__all__ = ["Separate"]

Groups = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Separate:
    """One model for each group of modalities.

    Attributes
    ----------
    models : list of (names, model)
    """

    models: list[tuple[tuple[str, ...], MaestroClassifier]]

    @classmethod
    def fit(cls, make: Callable[[], MaestroClassifier], groups: Groups, train: Windows) -> Self:
        """Train each model on the windows that have any of its modalities, and on nothing else.

        Raises
        ------
        DataError
            A model could not be trained; it is named.
        """
        models = []
        for names in groups:
            own = train.select(names)
            own = own[np.flatnonzero(own.present.any(axis=1))]
            try:
                models.append((names, make().fit(own)))
            except MaestroError as error:
                raise DataError(
                    error.what, where=f"the model of {' + '.join(names)}", fix=error.fix
                ) from error
        return cls(models)

    @property
    def parameters(self) -> int:
        """Of all models together."""
        return sum(p.numel() for _, model in self.models for p in model.network_.parameters())

    def predict(self, windows: Windows, classes: NDArray[np.str_]) -> Prediction:
        """Mean probability of the models that see anything of a window; of all where none does.

        Parameters
        ----------
        windows : Windows
        classes : (K,)
            Of the data set, sorted; one that training lacked is impossible to a model.
        """
        total = np.zeros((len(self.models), len(windows), len(classes)))
        there = np.zeros((len(self.models), len(windows), 1), dtype=bool)
        for i, (names, model) in enumerate(self.models):
            own = windows.select(names)
            columns = np.searchsorted(classes, np.asarray(model.classes_).astype(str))
            total[i][:, columns] = model.explain(own).probabilities
            there[i, :, 0] = own.present.any(axis=1)
        there |= ~there.any(axis=0)
        mean = (total * there).sum(axis=0) / there.sum(axis=0)
        with np.errstate(divide="ignore"):
            return Prediction(np.log(mean))
