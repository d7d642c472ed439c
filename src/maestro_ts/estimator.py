"""The scikit-learn front: `MaestroClassifier`. Every command goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import DataError
from maestro_ts.evaluation.calibration import Calibration
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.sensor_valuation import PERMUTATIONS, value_sensors
from maestro_ts.evaluation.sensor_value import SensorValue
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows
from maestro_ts.training.calibrated import Calibrated
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.device import device_of, threads
from maestro_ts.training.labels import class_numbers, labels_of, subjects_of
from maestro_ts.training.loop import Examples, Trainer
from maestro_ts.training.predictor import predict, predict_kept
from maestro_ts.training.run import Run, replacing

__all__ = ["MaestroClassifier", "load"]


class MaestroClassifier(Calibrated, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify windows of multimodal sensor data in which any modality may be missing.

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

    Attributes
    ----------
    classes_ : ndarray
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
    ) -> None:
        self.modalities = modalities
        self.duration_s = duration_s
        self.recipe = recipe
        self.settings = settings
        self.class_weight = class_weight
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads
        self.verbose = verbose
        self.callbacks = callbacks

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
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
        y : array-like (n,), optional
            Labels of any kind; taken from `Windows.labels` when not given.
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
        self.recipe_ = load_recipe(self.recipe)
        if self.settings:
            self.recipe_ = self.recipe_.override(self.settings)
        windows = self._windows(X, reset=True)
        labels = labels_of(windows, y)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"one class only ({self.classes_[0]!r}): a classifier needs two classes or more."
            )
        subjects = subjects_of(windows, groups)
        weights = self._weights(labels, sample_weight, windows)
        seed = self._seed()
        self.schema_ = windows.schema
        device = device_of(self.device)
        examples = Examples(windows, targets.astype(np.int64), weights)
        train, held = self._split(examples, subjects, seed)
        with threads(self.n_threads):
            self.front_end_ = build_front_end(self.recipe_).fit(train.windows)
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)  # the CPU's alone
                network = build_network(self.front_end_, len(self.classes_), self.recipe_)
            self.network_ = network.to(device)
            trainer = Trainer(
                self.front_end_,
                self.network_,
                self.recipe_,
                seed,
                [*self.callbacks, *([_PrintLines()] if self.verbose else [])],
                None if run is None else run.state,
            )
            trainer.fit(train, held, resume=resume)
        self.training_log_ = trainer.log
        self.calibration_ = None
        return self

    def _seed(self) -> int:
        if self.random_state is None:
            return int(np.random.default_rng().integers(2**31))
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(self.random_state.randint(2**31))

    def _split(
        self, examples: Examples, subjects: NDArray[np.str_] | None, seed: int
    ) -> tuple[Examples, Examples | None]:
        """Hold out whole subjects for the selection of weights."""
        share = self.recipe_.training.validation_share
        self.validation_subjects_: list[str] = []
        if subjects is None or share == 0.0 or len(np.unique(subjects)) < 2:
            return examples, None
        rng = np.random.default_rng([seed, 3])
        kept, held = subject_holdout(subjects, share, rng, examples.targets)
        self.validation_subjects_ = sorted({str(s) for s in subjects[held]})
        return _take(examples, kept), _take(examples, held)

    def _weights(
        self, y: NDArray[Any], sample_weight: ArrayLike | None, windows: Windows
    ) -> NDArray[np.float32]:
        weights = np.ones(len(windows))
        if sample_weight is not None:
            like = np.empty((len(windows), 1))
            weights = _check_sample_weight(sample_weight, like, dtype=np.float64)
            if not (weights >= 0).all() or not weights.any():
                raise DataError("sample_weight must be non-negative and not all zero.")
        if self.class_weight is not None:
            per_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weights = weights * per_class[np.searchsorted(self.classes_, y)]
        scaled: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
        return scaled

    # ---------------------------------------------------------------- input

    def _windows(self, X: Any, *, reset: bool) -> Windows:
        """Whatever a user passes → Windows in the model's schema."""
        if isinstance(X, Windows):
            windows = X
        elif isinstance(X, Mapping) and not issparse(X):  # scipy's dok arrays are mappings
            known = self.modalities if reset else self.schema_
            windows = Windows.from_arrays(X, known, duration_s=self.duration_s)
        else:
            X = validate_data(self, X, reset=reset, ensure_all_finite=False, allow_nd=True)
            known = self.modalities if reset else self.schema_
            windows = Windows.from_arrays(X, known, duration_s=self.duration_s)
        if len(windows) == 0:
            raise DataError("no windows (0 samples).")
        if reset:
            self.duration_ = float(np.median(windows.duration_s))
            return windows
        return windows.with_schema(self.schema_)

    # -------------------------------------------------------------- predict

    def explain(self, X: Any) -> Prediction:
        """Logits with what explains them: budgets, expert shares, tokens."""
        check_is_fitted(self, "network_")
        windows = self._windows(X, reset=False)
        with threads(self.n_threads):
            precision = self.recipe_.model.precision
            found = predict(self.front_end_, self.network_, windows, precision=precision)
        if self.calibration_ is None:
            return found
        return replace(found, temperature=self.calibration_.temperature)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Logits (n, K); for two classes their difference (n,)."""
        logits = self.explain(X).logits
        return np.asarray(logits[:, 1] - logits[:, 0]) if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities, shape (n, K), columns as in `classes_`; calibrated after that."""
        return self.explain(X).probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class, shape (n,)."""
        check_is_fitted(self, "network_")
        return np.asarray(self.classes_[self.explain(X).logits.argmax(axis=1)])

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

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model as a folder without pickles; only a whole one replaces another."""
        check_is_fitted(self, "network_")
        with replacing(Path(path), overwrite=overwrite) as run:
            self.write(run)

    def write(self, run: Run, origin: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model into a run folder that is ready, with where it came from."""
        run.save_model(
            self.recipe_,
            self.schema_,
            self.classes_,
            self.front_end_,
            self.network_,
            {
                "duration_s": self.duration_,
                "validation_subjects": self.validation_subjects_,
                **(origin or {}),
            },
        )
        run.save_log(self.training_log_)
        if self.calibration_ is not None:
            self.calibration_.save(run.calibration)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu", precision: str | None = None) -> Self:
        """Read a model that `save` or a training run wrote.

        Parameters
        ----------
        precision : {"float32", "bfloat16"}, optional
            Of its predictions; otherwise as it was trained.
        """
        run = Run(Path(path))
        model = run.load_model(device_of(device))
        recipe = model.recipe
        if precision is not None:
            recipe = recipe.override({"model.precision": precision})
        clf = cls(modalities=list(model.schema), recipe=recipe, device=device)
        clf.recipe_, clf.schema_, clf.classes_ = recipe, model.schema, model.classes
        clf.front_end_, clf.network_ = model.front_end, model.network
        clf.training_log_ = run.load_log()
        clf.calibration_ = Calibration.load(run.calibration)
        clf.duration_ = float(model.extra.get("duration_s", 1.0))
        clf.validation_subjects_ = list(model.extra.get("validation_subjects", []))
        if len(model.schema) == 1 and model.schema.modalities[0].channels == 1:
            clf.n_features_in_ = round(clf.duration_ * (model.schema.modalities[0].rate_hz or 1))
        return clf


def load(
    path: str | Path, *, device: str = "cpu", precision: str | None = None
) -> MaestroClassifier:
    """Read a run folder as a fitted estimator; see `MaestroClassifier.load`."""
    return MaestroClassifier.load(path, device=device, precision=precision)


class _PrintLines(Callback):
    """One line per epoch, for ``verbose=1``."""

    def on_epoch(self, report: Any) -> None:
        score = "" if report.validation_f1 is None else f"  macro-F1 {report.validation_f1:.3f}"
        print(f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}{score}")  # noqa: T201


def _take(examples: Examples, rows: NDArray[np.intp]) -> Examples:
    return Examples(examples.windows[rows], examples.targets[rows], examples.weights[rows])
