"""`MaestroRegressor`, and several labels in `MaestroClassifier`."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.utils.estimator_checks import estimator_checks_generator

import maestro_ts
from maestro_ts.errors import ConfigError, DataError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

SENSORS = (Modality("acc", channels=3, rate_hz=20), Modality("age", static=True))
N = 48
NUMBERS = np.linspace(40.0, 160.0, N)[np.random.default_rng(9).permutation(N)]
GROUPS = np.array([f"s{i}" for i in np.arange(N) // 8])
QUICK = {"training.epochs": 2, "training.validation_share": 0.2}


def arrays(seed: int = 0) -> dict[str, Any]:
    """The level of the accelerometer says the number."""
    rng = np.random.default_rng(seed)
    level = (NUMBERS - 100)[:, None, None] / 20
    return {
        "acc": rng.normal(0, 0.3, (N, 40, 3)) + level,
        "age": rng.normal(50, 9, (N, 1, 1)),
    }


def regressor(settings: dict[str, Any] = QUICK, **parameters: Any) -> MaestroRegressor:
    parameters = {"modalities": SENSORS, "recipe": "tiny", "random_state": 0} | parameters
    return MaestroRegressor(settings=settings, **parameters)


@pytest.fixture(scope="module")
def fitted() -> MaestroRegressor:
    settings = {"training.epochs": 30, "training.validation_share": 0.2}
    return regressor(settings).fit(arrays(), NUMBERS, groups=GROUPS)


# The checks of scikit-learn about numbers as y; those about input and parameters are of the base,
# which the classifier's tests go through. check_regressors_train asks for an R² above 0.5 of
# minutes of training: `test_it_learns_and_is_scored_by_r2` stands for it.
OWN = (
    "check_regressors_int",
    "check_regressors_no_decision_function",
    "check_supervised_y_no_nan",
    "check_supervised_y_2d",
)
CHECKED = regressor({"training.epochs": 1}, modalities=None)
CHECKS = [check for _, check in estimator_checks_generator(CHECKED) if check.func.__name__ in OWN]


def test_all_these_checks_exist() -> None:
    assert {check.func.__name__ for check in CHECKS} == set(OWN)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.func.__name__)
def test_scikit_learn(check: partial[None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(clone(CHECKED))


def test_it_learns_and_is_scored_by_r2(fitted: MaestroRegressor) -> None:
    X = arrays(seed=1)
    estimates = fitted.predict(X)
    assert estimates.shape == (N,)
    assert fitted.score(X, NUMBERS) == pytest.approx(r2_score(NUMBERS, estimates))
    assert fitted.score(X, NUMBERS) > 0.8
    log = fitted.training_log_
    assert log[-1]["validation_f1"] is None
    assert min(row["validation_mae"] for row in log) < 0.5 * NUMBERS.std()
    kept = [row["validation_mae"] for row in log if row["best"]]
    assert kept == sorted(kept, reverse=True)


def test_the_unit_of_the_numbers_changes_nothing_else() -> None:
    one = regressor().fit(arrays(), NUMBERS)
    two = regressor().fit(arrays(), 1000 * NUMBERS - 7)
    np.testing.assert_allclose(two.predict(arrays()), 1000 * one.predict(arrays()) - 7, rtol=1e-4)


def test_the_scale_is_that_of_the_windows_that_are_trained_on_alone() -> None:
    first = regressor().fit(arrays(), NUMBERS, groups=GROUPS)
    held = np.isin(GROUPS, first.validation_subjects_)
    assert 0 < held.sum() < N
    assert first.objective_.center == np.median(NUMBERS[~held])
    poisoned = np.where(held, 1e6, NUMBERS)
    again = regressor().fit(arrays(), poisoned, groups=GROUPS)
    assert again.objective_ == first.objective_


def test_a_missing_sensor_and_no_sensor_at_all_get_a_number(fitted: MaestroRegressor) -> None:
    X = arrays()
    alone = fitted.predict({"acc": None, "age": X["age"]})
    assert np.isfinite(alone).all()
    nothing = fitted.predict({"acc": np.full((2, 40, 3), np.nan)})
    assert np.isfinite(nothing).all()
    assert nothing[0] == nothing[1]
    told = fitted.explain({"acc": None, "age": X["age"]})
    np.testing.assert_array_equal(told.numbers, alone)
    assert told.budgets is not None
    assert (told.budgets[:, 0] == 0).all()


def test_a_saved_model_estimates_the_same(fitted: MaestroRegressor, tmp_path: Path) -> None:
    fitted.save(tmp_path / "run")
    loaded = maestro_ts.load(tmp_path / "run")
    assert isinstance(loaded, MaestroRegressor)
    np.testing.assert_array_equal(loaded.predict(arrays()), fitted.predict(arrays()))
    assert loaded.training_log_ == fitted.training_log_
    with pytest.raises(RunError, match=r"does not estimate classes.*maestro_ts\.load"):
        MaestroClassifier.load(tmp_path / "run")
    stored = json.loads((tmp_path / "run" / "schema.json").read_text())
    stored["objective"]["kind"] = "ranks"
    (tmp_path / "run" / "schema.json").write_text(json.dumps(stored))
    with pytest.raises(RunError, match="unknown objective 'ranks'"):
        maestro_ts.load(tmp_path / "run")


def test_a_model_of_classes_is_no_regressor(tmp_path: Path) -> None:
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings={"training.epochs": 1})
    clf.fit(arrays(), NUMBERS > 100).save(tmp_path / "run")
    assert "objective" not in json.loads((tmp_path / "run" / "schema.json").read_text())
    assert isinstance(maestro_ts.load(tmp_path / "run"), MaestroClassifier)
    with pytest.raises(RunError, match="does not estimate a number"):
        MaestroRegressor.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (np.where(np.arange(N) == 3, np.nan, NUMBERS), "number 3 is nan"),
        (np.where(np.arange(N) == 3, np.inf, NUMBERS), "number 3 is inf"),
        ([None, *NUMBERS[1:]], "number 0 is nan"),
        (np.array(["much"] * N), "no number: could not convert string to float: .*much"),
        (NUMBERS + 1j, "Complex data not supported"),
        (np.stack([NUMBERS, NUMBERS], axis=1), "1d array"),
        (NUMBERS[:-1], "48 windows, 47 numbers"),
        (None, "carries no numbers"),
    ],
)
def test_numbers_that_are_none_are_refused(y: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        regressor().fit(arrays(), y)


def test_numbers_of_the_windows_are_taken() -> None:
    windows = Windows.from_arrays(arrays(), SENSORS, labels=NUMBERS)
    one, two = regressor().fit(windows), regressor().fit(arrays(), NUMBERS)
    np.testing.assert_array_equal(one.predict(windows), two.predict(windows))


def test_one_number_throughout_is_learned() -> None:
    found = regressor({"training.epochs": 1}).fit(arrays(), np.full(N, 7.0))
    assert np.abs(found.predict(arrays()) - 7.0).max() < 3.0


def test_a_window_of_weight_zero_has_no_say() -> None:
    weight = (np.arange(N) % 4 > 0).astype(float)
    settings = {"training.epochs": 2}
    wrong = np.where(weight == 0, 1e9, NUMBERS)
    one = regressor(settings).fit(arrays(), NUMBERS, sample_weight=weight)
    two = regressor(settings).fit(arrays(), wrong, sample_weight=weight)
    np.testing.assert_array_equal(one.predict(arrays()), two.predict(arrays()))


def test_it_prints_a_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    regressor(verbose=1).fit(arrays(), NUMBERS, groups=GROUPS)
    assert "mean absolute error" in capsys.readouterr().out.splitlines()[0]


# ------------------------------------------------------------- several labels

LABELS = np.stack([NUMBERS > 80, NUMBERS > 130, np.arange(N) % 2 == 0], axis=1).astype(int)


def labeller(**parameters: Any) -> MaestroClassifier:
    settings = parameters.pop("settings", {"training.epochs": 2})
    given = {"modalities": SENSORS, "recipe": "tiny", "random_state": 0} | parameters
    return MaestroClassifier(settings=settings, **given)


def test_several_labels_are_learned_saved_and_read(tmp_path: Path) -> None:
    clf = labeller(settings={"training.epochs": 25}).fit(arrays(), LABELS)
    p = clf.predict_proba(arrays(seed=1))
    assert p.shape == (N, 3)
    found = clf.predict(arrays(seed=1))
    np.testing.assert_array_equal(found, p > 0.5)
    assert (found[:, :2] == LABELS[:, :2]).mean() > 0.85
    assert (p.sum(axis=1) > 1.2).any()  # not shares of one whole
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-clf.decision_function(arrays(seed=1)))))
    assert clf.classes_.tolist() == [0, 1, 2]
    clf.save(tmp_path / "run")
    loaded = maestro_ts.load(tmp_path / "run")
    assert isinstance(loaded, MaestroClassifier)
    np.testing.assert_array_equal(loaded.predict_proba(arrays(seed=1)), p)


@pytest.mark.parametrize("form", [csr_array, np.ndarray.tolist, lambda y: y.astype(bool)])
def test_labels_come_in_any_form(form: Any) -> None:
    plain = labeller().fit(arrays(), LABELS).predict_proba(arrays())
    np.testing.assert_array_equal(
        labeller().fit(arrays(), form(LABELS)).predict_proba(arrays()), plain
    )


def test_a_rare_label_weighs_as_much_when_balanced() -> None:
    rare = (NUMBERS > 150).astype(int)
    y = np.stack([rare, LABELS[:, 0]], axis=1)
    plain = labeller().fit(arrays(), y)
    balanced = labeller(class_weight="balanced").fit(arrays(), y)
    weights = balanced.objective_.weights
    assert weights is not None
    np.testing.assert_allclose(
        weights[:, 0], [N / (2 * (N - rare.sum())), N / (2 * rare.sum())], rtol=1e-6
    )
    assert (
        balanced.predict_proba(arrays())[:, 0].mean() > plain.predict_proba(arrays())[:, 0].mean()
    )


def test_labels_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DataError, match="not zeros and ones alone"):
        labeller().fit(arrays(), LABELS + 1)
    with pytest.raises(DataError, match="nothing to learn"):
        labeller().fit(arrays(), np.zeros((N, 2)))
    with pytest.raises(DataError, match="48 windows, 47 rows of labels"):
        labeller().fit(arrays(), LABELS[:-1])
    with pytest.raises(ConfigError, match="'balanced' or None"):
        labeller(class_weight={0: 2.0}).fit(arrays(), LABELS)
    with pytest.raises(ConfigError, match="one class of several"):
        labeller().fit(arrays(), LABELS).sensor_value(arrays(), LABELS)


def test_two_classes_are_no_labels() -> None:
    """A column of zeros and ones stays one class of two, as before."""
    clf = labeller().fit(arrays(), LABELS[:, :1].ravel())
    assert clf.predict_proba(arrays()).sum(axis=1) == pytest.approx(np.ones(N))
    assert clf.decision_function(arrays()).shape == (N,)


# --------------------------------------------------------------------- static


@pytest.mark.parametrize("kind", ["number", "classes"])
def test_what_only_a_static_modality_tells_is_learned(kind: str) -> None:
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, N)
    X = {"acc": rng.normal(size=(N, 40, 3)), "age": age[:, None, None]}
    settings = {"training.epochs": 40}
    torch.manual_seed(0)
    if kind == "number":
        assert regressor(settings).fit(X, age).score(X, age) > 0.6
    else:
        assert labeller(settings=settings).fit(X, age > 50).score(X, age > 50) > 0.85
