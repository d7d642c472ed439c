"""Information is 1 where one names the other, and within the shuffles where it says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from maestro_ts.evaluation.mutual_information import (
    normalised,
    of_kinds,
    of_patterns,
    of_patterns_within_kinds,
)

PATTERNS, WINDOWS, KINDS, EXPERTS = 4, 30, 3, 5


def counts(chosen: np.ndarray) -> np.ndarray:
    """One token per pattern, window and kind, served by `chosen` [P, n, J]."""
    return np.eye(EXPERTS)[chosen]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_it_is_that_of_scikit_learn(rng) -> None:
    a, b = rng.integers(0, 4, 500), rng.integers(0, 3, 500)
    b[:200] = a[:200] % 3
    table = np.zeros((4, 3))
    np.add.at(table, (a, b), 1)
    theirs = normalized_mutual_info_score(a, b, average_method="geometric")
    assert normalised(table) == pytest.approx(theirs, abs=1e-12)


def test_it_is_nothing_where_one_never_varies() -> None:
    assert normalised(np.array([[3.0, 4.0]])) == 0.0
    assert normalised(np.zeros((2, 2))) == 0.0


def test_an_expert_for_each_pattern_is_all_information(rng) -> None:
    chosen = np.broadcast_to(np.arange(PATTERNS)[:, None, None], (PATTERNS, WINDOWS, KINDS))
    for found in (of_patterns(counts(chosen), rng), of_patterns_within_kinds(counts(chosen), rng)):
        assert found.value == pytest.approx(1.0)
        assert found.shuffled_mean < 0.1
        assert found.shuffled_mean <= found.shuffled_upper < 0.2


def test_an_expert_for_each_modality_is_all_information(rng) -> None:
    chosen = np.broadcast_to(np.arange(KINDS), (PATTERNS, WINDOWS, KINDS))
    found = of_kinds(counts(chosen), rng)
    assert found.value == pytest.approx(1.0)
    assert found.shuffled_upper < 0.1


def test_what_says_nothing_lies_within_the_shuffles(rng) -> None:
    chosen = rng.integers(0, EXPERTS, (PATTERNS, WINDOWS, KINDS))
    for measure in (of_patterns, of_patterns_within_kinds, of_kinds):
        found = measure(counts(chosen), rng)
        assert 0.3 * found.shuffled_mean < found.value < 2 * found.shuffled_upper


def test_a_missing_modality_is_no_reaction_to_its_absence(rng) -> None:
    """Experts that know modalities alone: patterns show, since tokens lack, but not within one."""
    chosen = np.broadcast_to(np.arange(KINDS), (PATTERNS, WINDOWS, KINDS))
    given = counts(chosen)
    for pattern in range(1, PATTERNS):
        given[pattern, :, pattern - 1] = 0.0
    whole, within = of_patterns(given, rng), of_patterns_within_kinds(given, rng)
    assert whole.value > 0.2 > whole.shuffled_upper
    assert within.value == 0.0


def test_kinds_that_are_away_take_no_part_in_the_shuffles(rng) -> None:
    given = counts(np.broadcast_to(np.arange(KINDS), (PATTERNS, WINDOWS, KINDS)))
    given[:, :, 2] = 0.0
    given[:, :, 1] = 0.0
    assert of_kinds(given, rng).shuffled_mean == 0.0  # the only kind that is left stays itself


def test_the_same_generator_gives_the_same_shuffles() -> None:
    chosen = np.random.default_rng(1).integers(0, EXPERTS, (PATTERNS, WINDOWS, KINDS))
    first, again = (of_kinds(counts(chosen), np.random.default_rng(0)) for _ in range(2))
    assert first == again
