"""What `MaestroClassifier` and `MaestroRegressor` share: input, training, explanation, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from maestro_ts.atomic import write_text
from maestro_ts.contract.registry import (
    build_front_end,
    build_network,
    fit_network,
    fits_at_once,
)
from maestro_ts.errors import ConfigError, DataError, RunError
from maestro_ts.evaluation.monitor import Monitor
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.device import device_of, threads
from maestro_ts.training.embedding import EmbeddingMixin
from maestro_ts.training.loop import Examples, Trainer
from maestro_ts.training.monitored import Monitored, learn_monitor
from maestro_ts.training.objective import ClassObjective, Objective
from maestro_ts.training.predictor import predict
from maestro_ts.training.run import LoadedModel, Run, replacing
from maestro_ts.training.shared import SharingMixin, read_card
from maestro_ts.training.start import Start

__all__ = ["MaestroEstimator"]

# Of a model's description; the rest says where it came from, and is kept.
WRITTEN_ANEW = ("format", "version", "objective", "duration_s", "validation_subjects")


class MaestroEstimator(Monitored, SharingMixin, EmbeddingMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the estimators; parameters and attributes are told of there."""

    OBJECTIVES: ClassVar[tuple[type[Objective], ...]]
    LEARNS: ClassVar[str]

    def __init__(
        self,
        modalities: Sequence[Modality] | None = None,
        *,
        duration_s: float | None = None,
        recipe: str | Path | Recipe = "default",
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "cpu",
        n_threads: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callback] = (),
        init: str | Path | None = None,
        add_modalities: Sequence[str] = (),
        freeze: bool = False,
    ) -> None:
        self.modalities = modalities
        self.duration_s = duration_s
        self.recipe = recipe
        self.settings = settings
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads
        self.verbose = verbose
        self.callbacks = callbacks
        self.init = init
        self.add_modalities = add_modalities
        self.freeze = freeze

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    # ------------------------------------------------------------------ fit

    def _begin(self, X: Any) -> tuple[Windows, Start | None]:
        """The windows, and what the training starts from; the recipe is as it will be used."""
        self.recipe_ = load_recipe(self.recipe)
        if self.settings:
            self.recipe_ = self.recipe_.override(self.settings)
        start = Start.of(self.init, self.recipe_, self.add_modalities, freeze=self.freeze)
        windows = self._windows(X, reset=True)
        return (windows if start is None else start.joined(windows)), start

    def _train(
        self,
        examples: Examples,
        subjects: NDArray[np.str_] | None,
        objective_of: Callable[[Examples], Objective],
        classes: int,
        run: Run | None,
        resume: bool,
        start: Start | None,
    ) -> None:
        """Fit objective, front end and network; whole subjects are held out to select weights."""
        seed = self._seed()
        self.training_log_: list[dict[str, Any]] = []
        self.origin_: dict[str, Any] = {}
        self.card_ = ""
        self.schema_ = examples.windows.schema
        device = device_of(self.device)
        # What is no class, every window has another of.
        kinds = examples.targets if examples.targets.dtype.kind == "i" else None
        train, held = self._split(examples, subjects, seed, kinds)
        # Of the windows that are trained on alone, as the front end.
        self.objective_ = objective = objective_of(train)
        with threads(self.n_threads):
            if start is None:
                self.front_end_ = build_front_end(self.recipe_).fit(train.windows)
            else:
                self.front_end_ = start.front_end(train.windows)
            self.monitor_ = learn_monitor(self.front_end_, examples.windows, subjects)
            if fits_at_once(self.recipe_):
                self._fit_at_once(examples, subjects, classes, seed, device)
                return
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)  # the CPU's alone
                outputs = objective.outputs(classes)
                network = build_network(self.front_end_, outputs, self.recipe_)
            self.network_ = network.to(device)
            if start is not None:
                start.give(self.network_, self._classes(), objective)
            trainer = Trainer(
                self.front_end_,
                self.network_,
                self.recipe_,
                seed,
                [*self.callbacks, *([_PrintLines()] if self.verbose else [])],
                None if run is None else run.state,
                objective=objective,
            )
            trainer.fit(train, held, resume=resume)
        self.training_log_ = trainer.log

    def _fit_at_once(
        self,
        examples: Examples,
        subjects: NDArray[np.str_] | None,
        classes: int,
        seed: int,
        device: torch.device,
    ) -> None:
        """A model that no gradient trains; it learns classes only."""
        if not isinstance(self.objective_, ClassObjective):
            raise ConfigError(
                f"the model {self.recipe_.model_kind!r} learns one class of several.",
                fix="Numbers and several labels are for maestro.",
            )
        windows = examples.windows
        if subjects is not None:
            windows = windows.replace(subjects=subjects)
        given = (windows, examples.targets, examples.weights, classes, self.recipe_, seed)
        self.network_ = fit_network(self.front_end_, *given).to(device)
        self.training_log_ = []

    def _classes(self) -> NDArray[Any]:
        """None where a number is learned."""
        classes: NDArray[Any] = getattr(self, "classes_", np.array([], dtype=np.str_))
        return classes

    def _seed(self) -> int:
        if self.random_state is None:
            return int(np.random.default_rng().integers(2**31))
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(self.random_state.randint(2**31))

    def _split(
        self,
        examples: Examples,
        subjects: NDArray[np.str_] | None,
        seed: int,
        kinds: NDArray[Any] | None,
    ) -> tuple[Examples, Examples | None]:
        """Hold out whole subjects for the selection of weights, where gradients move them."""
        share = self.recipe_.training.validation_share
        self.validation_subjects_: list[str] = []
        none = share == 0.0 or fits_at_once(self.recipe_)
        if subjects is None or none or len(np.unique(subjects)) < 2:
            return examples, None
        rng = np.random.default_rng([seed, 3])
        kept, held = subject_holdout(subjects, share, rng, kinds)
        self.validation_subjects_ = sorted({str(s) for s in subjects[held]})
        return _take(examples, kept), _take(examples, held)

    def _weights(self, sample_weight: ArrayLike | None, windows: Windows) -> NDArray[np.float64]:
        """Weights as given, (n,); 1 unless they are."""
        if sample_weight is None:
            return np.ones(len(windows))
        like = np.empty((len(windows), 1))
        weights: NDArray[np.float64] = _check_sample_weight(sample_weight, like, dtype=np.float64)
        if not (weights >= 0).all() or not weights.any():
            raise DataError("sample_weight must be non-negative and not all zero.")
        return weights

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

    # -------------------------------------------------------------- explain

    def explain(self, X: Any) -> Prediction:
        """What is predicted, with what explains it: budgets, expert shares, tokens."""
        check_is_fitted(self, "network_")
        windows = self._windows(X, reset=False)
        with threads(self.n_threads):
            precision = self.recipe_.model.precision
            found = predict(self.front_end_, self.network_, windows, precision=precision)
        return self.objective_.meant(found)

    # ----------------------------------------------------------- save, load

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model as a folder without pickles; only a whole one replaces another."""
        check_is_fitted(self, "network_")
        with replacing(Path(path), overwrite=overwrite) as run:
            self.write(run)

    def write(self, run: Run, origin: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model into a run folder that is ready, with where it came from."""
        objective = self.objective_.to_dict()
        run.save_model(
            self.recipe_,
            self.schema_,
            self._classes(),
            self.front_end_,
            self.network_,
            {
                **({"objective": objective} if objective else {}),
                "duration_s": self.duration_,
                "validation_subjects": self.validation_subjects_,
                **self.origin_,
                **(origin or {}),
            },
        )
        run.save_log(self.training_log_)
        if self.card_:
            write_text(run.card, self.card_)
        if self.monitor_ is not None:
            self.monitor_.save(run.monitor)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu", precision: str | None = None) -> Self:
        """Read a model that `save` or a training run wrote.

        Parameters
        ----------
        precision : {"float32", "bfloat16"}, optional
            Of its predictions; otherwise as it was trained.

        Raises
        ------
        RunError
            No model, or one of another estimator.
        """
        run = Run(Path(path))
        model = run.load_model(device_of(device))
        if not isinstance(model.objective, cls.OBJECTIVES):
            raise RunError(
                f"this model does not estimate {cls.LEARNS}.",
                where=str(path),
                fix="Use maestro_ts.load, which gives the estimator that fits.",
            )
        return cls._restored(run, model, device, precision)

    @classmethod
    def _restored(cls, run: Run, model: LoadedModel, device: str, precision: str | None) -> Self:
        recipe = model.recipe
        if precision is not None:
            recipe = recipe.override({"model.precision": precision})
        found = cls(modalities=list(model.schema), recipe=recipe, device=device)
        found.recipe_, found.schema_, found.objective_ = recipe, model.schema, model.objective
        found.front_end_, found.network_ = model.front_end, model.network
        if len(model.classes):
            found.classes_ = model.classes
        found.training_log_ = run.load_log()
        found.monitor_ = Monitor.load(run.monitor)
        found.origin_ = {k: v for k, v in model.extra.items() if k not in WRITTEN_ANEW}
        found.card_ = read_card(run.card)
        found.duration_ = float(model.extra.get("duration_s", 1.0))
        found.validation_subjects_ = list(model.extra.get("validation_subjects", []))
        if len(model.schema) == 1 and model.schema.modalities[0].channels == 1:
            rate_hz = model.schema.modalities[0].rate_hz or 1
            found.n_features_in_ = round(found.duration_ * rate_hz)
        return found


class _PrintLines(Callback):
    """One line per epoch, for ``verbose=1``."""

    def on_epoch(self, report: Any) -> None:
        score = "" if report.validation_f1 is None else f"  macro-F1 {report.validation_f1:.3f}"
        if report.validation_mae is not None:
            score = f"  mean absolute error {report.validation_mae:.4g}"
        print(f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}{score}")  # noqa: T201


def _take(examples: Examples, rows: NDArray[np.intp]) -> Examples:
    return Examples(examples.windows[rows], examples.targets[rows], examples.weights[rows])
