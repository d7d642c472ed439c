"""`Calibrated`: what a fitted classifier can do with windows that it was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.calibration import (
    Calibration,
    ask_held_out,
    calibrated,
    fit_calibration,
)
from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.training.labels import class_numbers, labels_of, subjects_of

if TYPE_CHECKING:
    from maestro_ts.evaluation.prediction import Prediction
    from maestro_ts.signals.modality import Schema
    from maestro_ts.signals.windows import Windows

__all__ = ["Calibrated"]


class Calibrated:
    """Calibrated probabilities and sets of classes for an estimator that predicts `Windows`."""

    classes_: NDArray[Any]
    schema_: Schema
    calibration_: Calibration | None

    if TYPE_CHECKING:

        @property
        def _several(self) -> bool: ...
        def _windows(self, X: Any, *, reset: bool) -> Windows: ...
        def explain(self, X: Any) -> Prediction: ...  # noqa: D102

    def calibrate(
        self, X: Any, y: ArrayLike | None = None, *, groups: ArrayLike | None = None
    ) -> Self:
        """Make probabilities honest and `predict_sets` possible, by windows not trained on.

        X, y and groups as in `fit`; without groups every window counts as a subject. They are
        predicted under every absence of `evaluation.calibration.calibration_plan`. `predict` and
        `decision_function` stay what they were.
        """
        check_is_fitted(self, "network_")
        if self._several:
            raise ConfigError("one class of several is calibrated, not several labels.")
        windows = self._windows(X, reset=False)
        truth = class_numbers(labels_of(windows, y), self.classes_)
        known = subjects_of(windows, groups)
        owners = np.arange(len(windows)).astype(str) if known is None else known
        outcomes = ask_held_out(self.explain, windows.replace(subjects=owners), truth)
        self.calibration_ = fit_calibration(outcomes, self.schema_.names, "given windows")
        return self

    def predict_sets(self, X: Any, coverage: float = 0.9) -> NDArray[np.bool_]:
        """Which classes may be the true one, shape (n, K), columns as in `classes_`.

        Sets hold the true class of `coverage` of the windows of a new subject. A window with other
        than one class in its set has no answer that is so sure. See `Calibration.sets`.
        """
        check_is_fitted(self, "network_")
        calibration = calibrated(self.calibration_)
        calibration.check(coverage)
        windows = self._windows(X, reset=False)
        p = self.explain(windows).probabilities
        return calibration.sets(p, windows.present, lost_share(windows), coverage)
