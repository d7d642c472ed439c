from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.conformal import (
    GRID,
    attainable,
    check_coverage,
    grid_row,
    thresholds,
)
from reference.slow_calibration import slow_threshold


def persons(k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores of people who differ more from each other than in themselves, unequally often."""
    size = rng.integers(1, 40, k)
    owner = np.repeat(np.arange(k), size)
    return rng.normal(size=k)[owner] + 0.3 * rng.normal(size=len(owner)), owner.astype(str)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_thresholds_are_those_of_their_definition_and_never_fall(seed: int, k: int) -> None:
    scores, subjects = persons(k, np.random.default_rng(seed))
    scores = scores.round(1)  # ties
    found = thresholds(scores, subjects)
    for row in (0, 37, 100, 160, 180, 200):
        assert found[row] == (slow_threshold(scores, subjects, GRID[row]) if row else found[0])
    assert all(a <= b for a, b in pairwise(found))
    mixed = np.random.default_rng(0).permutation(len(scores))
    assert (thresholds(scores[mixed], subjects[mixed]) == found).all()


def test_one_window_a_subject_is_split_conformal_prediction() -> None:
    scores = np.random.default_rng(0).normal(size=99)
    found = thresholds(scores, np.arange(99).astype(str))
    for coverage in (0.5, 0.8, 0.9, 0.95, 0.99):
        rank = math.ceil(100 * coverage - 1e-9)
        assert found[grid_row(coverage)] == np.sort(scores)[rank - 1]
    assert found[grid_row(0.995)] == np.inf


@pytest.mark.parametrize("coverage", [0.7, 0.9])
def test_the_next_subject_is_covered(coverage: float) -> None:
    rng, covered = np.random.default_rng(0), []
    k = 15
    for _ in range(1500):
        scores, subjects = persons(k + 1, rng)
        new = subjects == str(k)
        limit = thresholds(scores[~new], subjects[~new])[grid_row(coverage)]
        covered.append((scores[new] <= limit).mean())
    error = np.std(covered) / np.sqrt(len(covered))
    assert coverage - 3 * error <= np.mean(covered) <= coverage + 1 / (k + 1) + 3 * error


def test_windows_taken_as_independent_would_cover_the_next_subject_less() -> None:
    """Why subjects have weights: with few people the windows of one say little of the next."""
    rng, ours, theirs = np.random.default_rng(1), [], []
    for _ in range(800):
        scores, subjects = persons(10, rng)
        new = subjects == "9"
        row, old = grid_row(0.9), scores[~new]
        ours.append((scores[new] <= thresholds(old, subjects[~new])[row]).mean())
        alone = thresholds(old, np.arange(len(old)).astype(str))[row]
        theirs.append((scores[new] <= alone).mean())
    assert np.mean(ours) >= 0.89
    assert np.mean(theirs) < 0.88


def test_what_few_subjects_can_vouch_for() -> None:
    scores, subjects = persons(4, np.random.default_rng(0))
    found = thresholds(scores, subjects)
    assert attainable(4) == 0.8
    assert found[grid_row(0.8)] == scores.max()
    assert found[grid_row(0.801)] == np.inf


def test_a_coverage_between_two_of_the_grid_is_rounded_up() -> None:
    assert GRID[grid_row(0.9)] == 0.9
    assert GRID[grid_row(0.9001)] == pytest.approx(0.905)
    assert GRID[grid_row(1 / 3)] == pytest.approx(0.335)


@pytest.mark.parametrize("coverage", [0.0, -0.1, 0.996, 1.0, 90, math.nan])
def test_what_is_no_coverage_is_refused(coverage: float) -> None:
    with pytest.raises(ConfigError, match=r"between 0 and 0.995") as caught:
        check_coverage(coverage)
    assert str(coverage) in str(caught.value)
