"""The scikit-learn front: `MaestroClassifier`. Every command goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.estimator_base import MaestroEstimator
from maestro_ts.evaluation.calibration import Calibration
from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.sensor_valuation import PERMUTATIONS, value_sensors
from maestro_ts.evaluation.sensor_value import SensorValue
from maestro_ts.recipe import Recipe
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.modality import Modality
from maestro_ts.training.calibrated import Calibrated
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.device import device_of, threads
from maestro_ts.training.labels import class_numbers, indicator_of, labels_of, subjects_of
from maestro_ts.training.loop import Examples
from maestro_ts.training.objective import ClassObjective, LabelObjective, NumberObjective, Objective
from maestro_ts.training.predictor import predict_kept
from maestro_ts.training.run import LoadedModel, Run

__all__ = ["MaestroClassifier", "load"]


class MaestroClassifier(Calibrated, ClassifierMixin, MaestroEstimator):  # type: ignore[misc]
    """Classify windows of multimodal sensor data in which any modality may be missing.

    Each window has one class of two or more, or any number of K labels (y of zeros and ones).

    Parameters
    ----------
    modalities : sequence of Modality, optional
        Needed when X is a dict of arrays.
    duration_s : float, optional
        Window length; by default that of the longest regular modality.
    recipe : str, path or Recipe
        ``default``, ``paper``, ``tiny``, or a YAML file.
    settings : dict, optional
        Dotted overrides of the recipe, e.g. ``{"model.heads": 2}``.
    class_weight : "balanced", dict or None
        Of several labels ``balanced`` or None; each label's two values then weigh the same.
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
    classes_ : ndarray
        Of several labels their columns, 0 to K − 1.
    schema_ : Schema
    recipe_ : Recipe
    front_end_, network_ : the fitted model
    training_log_ : list of dict
    validation_subjects_ : list of str
    calibration_ : Calibration or None
        See `calibrate`.

    Examples
    --------
    >>> import numpy as np
    >>> from maestro_ts import MaestroClassifier, Modality
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 2
    >>> X = {"ecg": rng.normal(size=(40, 80, 1)) + y[:, None, None], "eda": None}
    >>> sensors = [Modality("ecg", rate_hz=20), Modality("eda", rate_hz=4)]
    >>> clf = MaestroClassifier(sensors, recipe="tiny", random_state=0).fit(X, y)
    >>> float(clf.score(X, y)) > 0.9
    True
    """

    OBJECTIVES = (ClassObjective, LabelObjective)
    LEARNS = "classes"

    def __init__(
        self,
        modalities: Sequence[Modality] | None = None,
        *,
        duration_s: float | None = None,
        recipe: str | Path | Recipe = "default",
        settings: Mapping[str, Any] | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "cpu",
        n_threads: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callback] = (),
        init: str | Path | None = None,
        add_modalities: Sequence[str] = (),
        freeze: bool = False,
    ) -> None:
        super().__init__(
            modalities,
            duration_s=duration_s,
            recipe=recipe,
            settings=settings,
            random_state=random_state,
            device=device,
            n_threads=n_threads,
            verbose=verbose,
            callbacks=callbacks,
            init=init,
            add_modalities=add_modalities,
            freeze=freeze,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ------------------------------------------------------------------ fit

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
        y : array-like (n,), or (n, K) of zeros and ones, optional
            Labels of any kind; taken from `Windows.labels` when not given. Of K columns each is a
            label that is there (1) or not.
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
            Wrong shapes, infinities, NaN labels, one class only.
        """
        windows, start = self._begin(X)
        there = indicator_of(windows, y)
        if there is not None:
            self.classes_ = np.arange(there.shape[1])
            weights = self._weights(sample_weight, windows)
            targets: NDArray[Any] = there.astype(np.float32)
        else:
            labels = labels_of(windows, y)
            self.classes_, targets = np.unique(labels, return_inverse=True)
            if len(self.classes_) < 2:
                raise DataError(
                    f"one class only ({self.classes_[0]!r}): "
                    "a classifier needs two classes or more."
                )
            weights = self._class_weights(labels, self._weights(sample_weight, windows))
            targets = targets.astype(np.int64)
        subjects = subjects_of(windows, groups)
        examples = Examples(windows, targets, (weights / weights.mean()).astype(np.float32))
        objective_of = self._class_objective if there is None else self._label_objective
        self._train(examples, subjects, objective_of, len(self.classes_), run, resume, start)
        self.calibration_ = None
        return self

    def _class_weights(self, y: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.class_weight is None:
            return weights
        per_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        return np.asarray(weights * per_class[np.searchsorted(self.classes_, y)])

    def _class_objective(self, train: Examples) -> Objective:
        return ClassObjective()

    def _label_objective(self, train: Examples) -> Objective:
        """Labels with the weights of their two values."""
        if self.class_weight is None:
            return LabelObjective()
        if self.class_weight != "balanced":
            raise ConfigError(
                f"class_weight is {self.class_weight!r}; of several labels it is 'balanced' or "
                "None."
            )
        there = train.targets.sum(axis=0)
        counts = np.stack([len(train.targets) - there, there])
        return LabelObjective(
            np.asarray(len(train.targets) / (2.0 * np.maximum(counts, 1)), dtype=np.float32)
        )

    @property
    def _several(self) -> bool:
        """Several labels were learned, no classes."""
        return isinstance(self.objective_, LabelObjective)

    # -------------------------------------------------------------- predict

    def explain(self, X: Any) -> Prediction:
        """Logits with what explains them: budgets, expert shares, tokens."""
        check_is_fitted(self, "network_")
        if self.calibration_ is None:
            return MaestroEstimator.explain(self, X)
        windows = self._windows(X, reset=False)
        found = MaestroEstimator.explain(self, windows)
        temperature = self.calibration_.temperature.of(windows.present, lost_share(windows))
        return replace(found, temperature=temperature)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Logits (n, K); for two classes their difference (n,)."""
        logits = self.explain(X).logits
        if self._several or logits.shape[1] != 2:
            return logits
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes or labels, shape (n, K), columns as in `classes_`.

        Of classes they are calibrated after `calibrate`.
        """
        return self.explain(X).probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class, shape (n,); of several labels zeros and ones, shape (n, K)."""
        check_is_fitted(self, "network_")
        logits = self.explain(X).logits
        if self._several:
            return (logits > 0).astype(np.int64)
        return np.asarray(self.classes_[logits.argmax(axis=1)])

    def sensor_value(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        by: str = "device",
        metric: str = "macro_f1",
        positive: str = "",
        costs: Mapping[str, float] | None = None,
        unit: str = "",
        permutations: int = PERMUTATIONS,
        random_state: int = 0,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> SensorValue:
        """What each device or modality is worth on windows that were not trained on.

        X, y and groups as in `fit`; without groups there are no intervals. The rest as in
        `evaluation.sensor_valuation.value_sensors`.
        """
        check_is_fitted(self, "network_")
        if self._several:
            raise ConfigError("sensors are valued for one class of several, not for labels.")
        windows = self._windows(X, reset=False)
        truth = class_numbers(labels_of(windows, y), self.classes_)
        with threads(self.n_threads):
            return value_sensors(
                predict_kept(
                    self.front_end_,
                    self.network_,
                    windows,
                    precision=self.recipe_.model.precision,
                ),
                windows,
                truth,
                [str(c) for c in self.classes_],
                subjects=subjects_of(windows, groups),
                by=by,
                metric=metric,
                positive=positive,
                costs=costs,
                unit=unit,
                permutations=permutations,
                rng=np.random.default_rng(random_state),
                progress=progress,
            )

    # ----------------------------------------------------------- save, load

    def write(self, run: Run, origin: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model into a run folder that is ready, with where it came from."""
        super().write(run, origin)
        if self.calibration_ is not None:
            self.calibration_.save(run.calibration)

    @classmethod
    def _restored(cls, run: Run, model: LoadedModel, device: str, precision: str | None) -> Self:
        found = super()._restored(run, model, device, precision)
        found.calibration_ = Calibration.load(run.calibration)
        return found


def load(
    path: str | Path, *, device: str = "cpu", precision: str | None = None
) -> MaestroClassifier | MaestroRegressor:
    """Read a run folder as the fitted estimator that it holds; see `MaestroClassifier.load`."""
    run = Run(Path(path))
    model = run.load_model(device_of(device))
    if isinstance(model.objective, NumberObjective):
        return MaestroRegressor._restored(run, model, device, precision)
    return MaestroClassifier._restored(run, model, device, precision)
