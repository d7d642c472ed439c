"""Metrics of numbers against scikit-learn, their intervals against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from maestro_ts.evaluation.number_metrics import number_intervals, number_metrics


def drawn(seed: int, n: int, middle: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = middle + rng.normal(0, 3, n)
    return truth, truth + rng.normal(0, 2, n)


@given(st.integers(0, 1000), st.integers(2, 30), st.sampled_from([0.0, 70.0, -1e6]))
def test_metrics_are_those_of_scikit_learn(seed: int, n: int, middle: float) -> None:
    truth, estimates = drawn(seed, n, middle)
    found = number_metrics(truth, estimates)
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, estimates))
    assert found["rmse"] == pytest.approx(mean_squared_error(truth, estimates) ** 0.5)
    assert found["r2"] == pytest.approx(r2_score(truth, estimates), rel=1e-7)


@pytest.mark.parametrize("value", [0.0, 0.1, 72.3, 1e9])
@pytest.mark.parametrize("n", [1, 3])
def test_equal_numbers_have_no_r2(value: float, n: int) -> None:
    truth = np.full(n, value)
    found = number_metrics(truth, truth + 2.0)
    assert found["r2"] is None
    assert [found["mae"], found["rmse"]] == pytest.approx([2.0, 2.0], rel=1e-6)


def test_intervals_are_quantiles_over_draws_of_whole_subjects() -> None:
    truth, estimates = drawn(3, 40, 70.0)
    subjects = np.array([f"s{i}" for i in np.arange(40) // 7])
    names = np.unique(subjects)
    draws = np.random.default_rng(5).multinomial(
        len(names), np.full(len(names), 1 / len(names)), 50
    )
    values: dict[str, list[float]] = {"mae": [], "rmse": [], "r2": []}
    for counts in draws:
        rows = np.concatenate(
            [
                np.flatnonzero(subjects == s)
                for s, c in zip(names, counts, strict=True)
                for _ in range(c)
            ]
        )
        for name, value in number_metrics(truth[rows], estimates[rows]).items():
            assert value is not None
            values[name].append(value)
    found = number_intervals(truth, estimates, subjects, np.random.default_rng(5), repeats=50)
    for name, several in values.items():
        assert found[name] == pytest.approx(tuple(np.quantile(several, [0.025, 0.975])))


def test_one_subject_with_one_number_has_no_interval_of_r2() -> None:
    truth = np.full(4, 70.0)
    found = number_intervals(truth, truth + 1, np.array(["s"] * 4), np.random.default_rng(0))
    assert found == {"mae": (1.0, 1.0), "rmse": (1.0, 1.0)}
