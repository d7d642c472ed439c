from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts.evaluation.statistics import (
    area_weights,
    average_ranks,
    critical_difference,
    difference,
    holm,
    mean_and_deviation,
    wilcoxon,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference import slow_statistics as slow

RATES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8]


def test_the_area_is_that_of_the_trapezoids() -> None:
    scores = np.random.default_rng(0).random(len(RATES))
    assert area_weights(RATES) @ scores == pytest.approx(slow.area(RATES, scores))
    assert area_weights(RATES) @ np.full(len(RATES), 0.7) == pytest.approx(0.7)


@pytest.mark.parametrize("rates", [[0.0], [0.0, 0.0, 0.2], [0.4, 0.2]])
def test_rates_that_do_not_rise_have_no_area(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="rising"):
        area_weights(rates)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_holm_is_its_steps(p: list[float]) -> None:
    corrected = holm(p)
    assert corrected == pytest.approx(slow.holm(p))
    assert all(raw <= found <= 1 for raw, found in zip(p, corrected, strict=True))


def test_holm_of_a_known_case() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize("seed", range(3))
def test_the_signed_rank_test_counts_all_signs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random(9), rng.random(9) - 0.2
    assert wilcoxon(a, b) == pytest.approx(slow.signed_rank_p(a, b))


def test_without_differences_nothing_is_significant() -> None:
    assert wilcoxon(np.ones(8), np.ones(8)) == 1.0


def test_ranks_share_the_places_of_ties() -> None:
    scores = np.array([[0.9, 0.5, 0.9, 0.1], [0.2, 0.2, 0.2, 0.2], [0.1, 0.4, 0.3, 0.2]])
    expected = [np.mean([slow.rank(list(row), i) for row in scores]) for i in range(4)]
    assert average_ranks(scores) == pytest.approx(expected)


@pytest.mark.parametrize(("models", "q"), [(2, 1.960), (4, 2.569), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_published_table(models: int, q: float) -> None:
    # Demšar 2006, Table 5a, level .05.
    expected = q * np.sqrt(models * (models + 1) / (6 * 14))
    assert critical_difference(models, 14) == pytest.approx(expected, abs=2e-3)


def test_a_difference_has_the_quantiles_of_its_draws() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(401), rng.random(401)
    point, low, high = difference(a, b)
    assert point == a[0] - b[0]
    assert (low, high) == pytest.approx(tuple(np.quantile((a - b)[1:], [0.025, 0.975])))
    assert difference(a[:1], b[:1]) == (point, None, None)


def test_draws_without_a_score_are_left_out() -> None:
    a = np.array([0.5, 0.4, np.nan, 0.6])
    assert difference(a, np.zeros(4))[1:] == pytest.approx(
        tuple(np.quantile([0.4, 0.6], [0.025, 0.975]))
    )


def test_a_single_value_has_no_deviation() -> None:
    assert mean_and_deviation([0.5]) == (0.5, None)
    assert mean_and_deviation([1.0, 3.0]) == (2.0, pytest.approx(np.sqrt(2)))
