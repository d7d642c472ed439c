"""LightGBM on statistics, trained on intact windows and on copies with missing modalities.

Without such copies a missing sensor would be misread: where a column had no NaN in training,
LightGBM takes NaN at prediction for 0.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, MissingExtraError
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows
from rivals.statistics import Features, drop_modalities, statistics_51, statistics_nine

__all__ = ["TreesOnNineStatistics", "TreesOnStatistics51", "draw_keep"]

# The validation copies are the same whatever the seed of the fit.
VALIDATION_SEED = 20_510


def draw_keep(
    present: NDArray[np.bool_], rates: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw which modalities a copy of each window keeps.

    Parameters
    ----------
    present : ndarray, shape (n, M), bool
    rates : tuple of float
        Every window has a rate of its own, uniform between these; each of its present modalities
        is dropped with this probability. If all would go, one of them stays.
    rng : Generator

    Returns
    -------
    keep : ndarray, shape (n, M), bool
    """
    rate = rng.uniform(*rates, size=(len(present), 1))
    keep = rng.random(present.shape) >= rate
    spared = np.where(present, rng.random(present.shape), -1.0).argmax(axis=1)
    bare = np.flatnonzero(~(keep & present).any(axis=1))
    keep[bare, spared[bare]] = True
    return keep


class _Trees:
    """What both rivals share: the table of copies, the booster, the probabilities.

    Parameters
    ----------
    num_threads : int
    **changes
        Parameters of LightGBM that replace the defaults.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        Sorted labels; the columns of the probabilities.
    booster_ : lightgbm.Booster
    """

    statistics = staticmethod(statistics_51)
    copies: int
    rates: tuple[float, float]
    rounds: int
    parameters: ClassVar[dict[str, Any]]

    def __init__(self, num_threads: int = 1, **changes: Any) -> None:
        self.num_threads, self.changes = num_threads, changes

    def fit(self, windows: Windows, seed: int = 0, features: Features | None = None) -> Self:
        """Train on labelled windows.

        Parameters
        ----------
        windows : Windows
        seed : int
        features : ndarray, shape (n, F), optional
            The statistics of these very windows, where they are known already.
        """
        if windows.labels is None:
            raise DataError("Training needs labels.")
        self.classes_, codes = np.unique(windows.labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"Training needs two classes, there is {self.classes_.tolist()}.")
        if features is None:
            features = self.statistics(windows)[0]
        self.booster_ = self._train(windows, codes, features, seed)
        return self

    def predict_proba(
        self, windows: Windows, features: Features | None = None
    ) -> NDArray[np.float64]:
        """Probabilities of the classes.

        Parameters
        ----------
        windows : Windows
        features : ndarray, shape (n, F), optional
            The statistics of these very windows, where they are known already.

        Returns
        -------
        ndarray, shape (n, K)
        """
        if features is None:
            features = self.statistics(windows)[0]
        # LightGBM refuses a table without rows.
        if not len(features):
            return np.zeros((0, len(self.classes_)))
        return np.asarray(self.booster_.predict(features, num_threads=self.num_threads))

    def _train(
        self, windows: Windows, codes: NDArray[np.intp], features: Features, seed: int
    ) -> Any:
        rows = np.arange(len(windows))
        table = self._table(windows, codes, features, rows, np.random.default_rng(seed))
        return _lightgbm().train(self._parameters(seed), table, num_boost_round=self.rounds)

    def _parameters(self, seed: int) -> dict[str, Any]:
        return {
            "objective": "multiclass",
            "num_class": len(self.classes_),
            "metric": "multi_logloss",
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.num_threads,
            "seed": seed,
            "verbosity": -1,
            **self.parameters,
            **self.changes,
        }

    def _table(
        self,
        windows: Windows,
        codes: NDArray[np.intp],
        features: Features,
        rows: NDArray[np.intp],
        rng: np.random.Generator,
        reference: Any = None,
    ) -> Any:
        """Every window intact, then its copies; together they weigh as much as one window."""
        names = self.statistics(windows[:0])[1]
        part, present, tables = features[rows], windows.present[rows], [features[rows]]
        for _ in range(self.copies):
            keep = draw_keep(present, self.rates, rng)
            tables.append(drop_modalities(part, names, windows.schema, keep))
        total = self.copies + 1
        return _lightgbm().Dataset(
            np.concatenate(tables),
            np.tile(codes[rows], total),
            weight=np.full(len(rows) * total, 1.0 / total),
            reference=reference,
        )


class TreesOnStatistics51(_Trees):
    """Up to 2000 rounds on the full statistics, stopped early on held-out subjects."""

    copies, rates, rounds = 3, (0.1, 0.5), 2000
    patience, validation_share = 100, 0.15
    parameters: ClassVar[dict[str, Any]] = {
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_data_in_leaf": 20,
    }

    def _train(
        self, windows: Windows, codes: NDArray[np.intp], features: Features, seed: int
    ) -> Any:
        rng = np.random.default_rng(seed)
        kept, held = subject_holdout(windows.subjects, self.validation_share, rng, codes)
        train = self._table(windows, codes, features, kept, rng)
        fixed = np.random.default_rng(VALIDATION_SEED)
        lightgbm = _lightgbm()
        return lightgbm.train(
            self._parameters(seed),
            train,
            num_boost_round=self.rounds,
            valid_sets=[self._table(windows, codes, features, held, fixed, train)],
            callbacks=[lightgbm.early_stopping(self.patience, verbose=False)],
        )


class TreesOnNineStatistics(_Trees):
    """A quick rival: nine statistics, 200 rounds of small trees, no validation.

    Fractions, L2 and the settings of determinism are those of the larger rival. A leaf holds at
    least 20 rows, that is about three windows with their copies; with fewer, it could hold the
    copies of one window alone.
    """

    statistics = staticmethod(statistics_nine)
    copies, rates, rounds = 6, (0.0, 0.6), 200
    parameters: ClassVar[dict[str, Any]] = {
        "learning_rate": 0.1,
        "num_leaves": 15,
        "min_data_in_leaf": 20,
    }


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError.of("lightgbm", "rivals", "This rival") from error
    return lightgbm
