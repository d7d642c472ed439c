"""The scikit-learn front for numbers: `MaestroRegressor`."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from maestro_ts.estimator_base import MaestroEstimator
from maestro_ts.training.labels import numbers_of, subjects_of
from maestro_ts.training.loop import Examples
from maestro_ts.training.objective import NumberObjective
from maestro_ts.training.run import Run

__all__ = ["MaestroRegressor"]


class MaestroRegressor(RegressorMixin, MaestroEstimator):  # type: ignore[misc]
    """Estimate a number from windows of sensor data in which any modality may be missing.

    It is trained for the absolute error (`training.objective.NumberObjective`).

    Parameters
    ----------
    modalities : sequence of Modality, optional
        Needed when X is a dict of arrays.
    duration_s : float, optional
        Window length; by default that of the longest regular modality.
    recipe : str, path or Recipe
        ``default``, ``paper``, ``tiny``, or a YAML file. ``training.label_smoothing`` has no
        meaning here.
    settings : dict, optional
        Dotted overrides of the recipe, e.g. ``{"model.heads": 2}``.
    random_state : int, RandomState or None
        The same value gives the same result on the same machine.
    device : str
        ``cpu``, ``cuda`` or ``auto``.
    n_threads : int, optional
        CPU threads of PyTorch while fitting and predicting.
    verbose : int
        1 prints one line per epoch.
    callbacks : sequence of Callback
        See `training.callbacks.Callback`.
    init : path, optional
        A run to start from, pre-trained or trained: its statistics and weights are taken over.
    add_modalities : sequence of str
        Modalities that the run of `init` lacks and this model gets.
    freeze : bool
        Train only the parts of the added modalities and the head.

    Attributes
    ----------
    objective_ : NumberObjective
        Median and mean absolute deviation of the training numbers.
    schema_ : Schema
    recipe_ : Recipe
    front_end_, network_ : the fitted model
    training_log_ : list of dict
    validation_subjects_ : list of str

    Examples
    --------
    >>> import numpy as np
    >>> from maestro_ts import MaestroRegressor, Modality
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=40)
    >>> X = {"ecg": rng.normal(size=(40, 80, 1)) + 3 * y[:, None, None], "eda": None}
    >>> sensors = [Modality("ecg", rate_hz=20), Modality("eda", rate_hz=4)]
    >>> reg = MaestroRegressor(sensors, recipe="tiny", random_state=0).fit(X, y)
    >>> float(reg.score(X, y)) > 0.8
    True
    """

    OBJECTIVES = (NumberObjective,)
    LEARNS = "a number"

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        run: Run | None = None,
        resume: bool = False,
    ) -> Self:
        """Fit.

        Parameters
        ----------
        X : Windows; or dict of name to array (n, T, C); or array (n, T, C) or (n, T)
            NaN or an absent key is missing; infinities are refused.
        y : array-like (n,), optional
            Finite numbers; taken from `Windows.labels` when not given.
        groups : array-like (n,), optional
            Subjects; `Windows.subjects` when not given. Whole ones are held out to select weights
            if the recipe asks for it (`training.validation_share`), else the last are kept.
        sample_weight : array-like (n,), optional
        run : Run, optional
            Where a resumable state is kept after each epoch.
        resume : bool
            Go on from the state in `run`.

        Raises
        ------
        DataError
            Wrong shapes, infinities, numbers that are none.
        """
        windows, start = self._begin(X)
        numbers = numbers_of(windows, y)
        subjects = subjects_of(windows, groups)
        weights = self._weights(sample_weight, windows)
        examples = Examples(windows, numbers, (weights / weights.mean()).astype(np.float32))
        self._train(examples, subjects, _standardised, 0, run, resume, start)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Estimates in the unit of the training numbers, shape (n,)."""
        return self.explain(X).numbers


def _standardised(train: Examples) -> NumberObjective:
    # A window without weight has no say in the scale either.
    counted = train.weights > 0
    return NumberObjective.of(train.targets[counted if counted.any() else slice(None)])
