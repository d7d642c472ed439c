from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.symbols.drift import Reference, counts, distance
from reference.slow_monitor import slow_distance, slow_limit

A = 5


def drawn(n: int, seed: int = 0) -> np.ndarray:
    """Tokens (n, 6, 2, 3), some missing."""
    return np.random.default_rng(seed).integers(0, A + 1, (n, 6, 2, 3)).astype(np.uint8)


def test_counts_are_of_each_window_channel_and_view():
    tokens = drawn(4)
    found = counts(tokens, A)
    for i, c, v in np.ndindex(4, 2, 3):
        expected = [(tokens[i, :, c, v] == s).sum() for s in range(1, A + 1)]
        np.testing.assert_array_equal(found[i, c, v], expected)


HISTOGRAM = st.lists(st.integers(0, 50), min_size=A, max_size=A).filter(any)


@given(HISTOGRAM, HISTOGRAM)
def test_distance_agrees_with_the_slow_twin(one, other):
    found = distance(np.array(one), np.array(other))
    assert found == pytest.approx(slow_distance(one, other), abs=1e-7)
    assert found == distance(np.array(other), np.array(one))


def test_disjoint_histograms_are_one_apart_and_an_empty_one_is_not_told():
    assert distance(np.array([3, 0]), np.array([0, 7])) == 1.0
    assert np.isnan(distance(np.array([0, 0]), np.array([0, 7])))


def test_limits_agree_with_the_slow_twin():
    subjects = np.array(list("aabbbbbaacbb"))
    found = counts(drawn(len(subjects)), A)
    reference = Reference.learn(found, subjects)
    assert len(reference.limits) == 3  # 1, 2 and 4 windows in a row
    for row, size in enumerate((1, 2, 4)):
        for v in range(3):
            slow = [slow_limit(found[:, c, v].tolist(), list(subjects), size) for c in range(2)]
            assert reference.limits[row, v] == pytest.approx(max(slow), abs=1e-12)


def test_training_people_do_not_drift_and_other_symbols_do():
    subjects = np.repeat(list("abcdef"), 8)
    tokens = drawn(len(subjects))
    reference = Reference.learn(counts(tokens, A), subjects)
    for person in "abcdef":
        far, limit = reference.drift(counts(tokens[subjects == person], A))
        assert np.all(far <= limit)
    other = drawn(8)
    other[..., 1] = 1
    far, limit = reference.drift(counts(other, A))
    np.testing.assert_array_equal(far > limit, [False, True, False])


def test_absent_sensors_and_a_single_person_are_not_told():
    tokens = drawn(8)
    alone = Reference.learn(counts(tokens, A), np.repeat("a", 8))
    far, limit = alone.drift(counts(tokens, A))
    assert not np.isnan(far).any()
    assert np.isnan(limit).all()
    assert np.isnan(alone.drift(counts(0 * tokens, A))[0]).all()
    never = Reference.learn(counts(0 * tokens, A), np.repeat(list("ab"), 4))
    assert np.isnan(never.drift(counts(tokens, A))[0]).all()
