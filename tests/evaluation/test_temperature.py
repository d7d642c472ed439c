from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.temperature import (
    HOTTEST,
    STEEPEST,
    Temperature,
    fit_temperature,
    log_loss,
)
from reference.slow_calibration import slow_log_loss, slow_temperature

M = 4


def all_there(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones((n, M), dtype=bool), np.zeros(n)


def some_missing(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Every window lacks modalities or samples or neither."""
    count = rng.integers(1, M + 1, n)
    return np.arange(M) < count[:, None], rng.choice([0.0, 0.3, 0.6, 0.8], n)


def drawn(
    temperature: float | np.ndarray = 1.0, n: int = 4000, k: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from what they say at a temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, k))
    chances = softmax(logits / np.reshape(temperature, (-1, 1)), axis=1).cumsum(axis=1)
    return logits, (rng.random(n)[:, None] > chances).sum(axis=1)


def single(logits: np.ndarray, truth: np.ndarray) -> float:
    found = fit_temperature(logits, truth, *all_there(len(truth)))
    assert (found.absent, found.lost) == (0.0, 0.0)
    return found.whole


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_the_labels_is_found(temperature: float) -> None:
    assert single(*drawn(temperature)) == pytest.approx(temperature, rel=0.06)


def test_no_other_temperature_has_a_smaller_loss() -> None:
    logits, truth = drawn(2.0, 300)
    best = single(logits, truth)
    for near in (0.999, 1.001):
        assert log_loss(logits, truth, best) < log_loss(logits, truth, near * best)


@pytest.mark.parametrize(
    "true", [Temperature(1.5, 0.4, 0.7), Temperature(0.8, -0.3, 0.0), Temperature(2.0)]
)
def test_what_each_lack_does_is_found(true: Temperature) -> None:
    there, lost = some_missing(20_000, np.random.default_rng(1))
    logits, truth = drawn(true.of(there, lost), 20_000)
    found = fit_temperature(logits, truth, there, lost)
    assert found.whole == pytest.approx(true.whole, rel=0.06)
    assert found.absent == pytest.approx(true.absent, abs=0.06)
    assert found.lost == pytest.approx(true.lost, abs=0.06)


def test_no_temperature_nearby_has_a_smaller_loss() -> None:
    there, lost = some_missing(500, np.random.default_rng(1))
    logits, truth = drawn(Temperature(1.5, 0.4, 0.7).of(there, lost), 500)
    found = fit_temperature(logits, truth, there, lost)
    best = log_loss(logits, truth, found.of(there, lost))
    for part in ("whole", "absent", "lost"):
        for step in (-0.02, 0.02):
            near = replace(found, **{part: getattr(found, part) + step})
            assert log_loss(logits, truth, near.of(there, lost)) > best


def test_temperature_and_log_loss_are_those_of_their_definitions() -> None:
    there, lost = some_missing(50, np.random.default_rng(2))
    logits, truth = drawn(n=50)
    for one in (0.3, 1.0, 4.0):
        slow = slow_log_loss(logits, truth, np.full(50, one))
        assert log_loss(logits, truth, one) == pytest.approx(slow, rel=1e-12)
    found = Temperature(1.5, -0.4, 0.7)
    slow_t = slow_temperature(1.5, -0.4, 0.7, there, lost)
    assert found.of(there, lost) == pytest.approx(slow_t, rel=1e-12)
    slow = slow_log_loss(logits, truth, slow_t)
    assert log_loss(logits, truth, found.of(there, lost)) == pytest.approx(slow, rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.01, 50.0))
def test_it_is_never_worse_than_one_temperature(seed: int, n: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    there, lost = some_missing(n, rng)
    logits, truth = scale * rng.normal(size=(n, 3)), rng.integers(3, size=n)
    found = fit_temperature(logits, truth, there, lost)
    one = single(logits, truth)
    assert log_loss(logits, truth, found.of(there, lost)) <= log_loss(logits, truth, one) + 1e-9
    assert abs(found.absent) <= STEEPEST
    assert abs(found.lost) <= STEEPEST
    # Whatever is asked later, nothing at all included, has a temperature.
    nothing = found.of(np.zeros((1, M), dtype=bool), np.ones(1))
    assert ((nothing >= 1 / HOTTEST - 1e-9) & (nothing <= HOTTEST + 1e-9)).all()


def test_the_scale_of_the_logits_does_not_matter() -> None:
    there, lost = some_missing(300, np.random.default_rng(3))
    logits, truth = drawn(n=300)
    once = fit_temperature(logits, truth, there, lost)
    twice = fit_temperature(2 * logits, truth, there, lost)
    assert twice.whole == pytest.approx(2 * once.whole, rel=1e-3)
    assert [twice.absent, twice.lost] == pytest.approx([once.absent, once.lost], abs=1e-3)
    assert single(2 * logits, truth) == pytest.approx(2 * single(logits, truth))
    assert single(logits + 1000.0, truth) == pytest.approx(single(logits, truth))


def test_logits_that_are_never_wrong_or_always_end_at_the_bounds() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert single(logits, np.array([0, 1])) == 1.0 / HOTTEST
    assert single(logits, np.array([1, 0])) == HOTTEST
    assert single(np.zeros((2, 2)), np.array([0, 1])) == HOTTEST


def test_probabilities_are_those_of_the_temperature_and_the_class_stays() -> None:
    logits, _ = drawn(n=50)
    each = np.linspace(0.5, 5.0, 50)
    hot = Prediction(logits, temperature=each)
    assert hot.probabilities == pytest.approx(softmax(logits / each[:, None], axis=1))
    assert (hot.probabilities.argmax(axis=1) == logits.argmax(axis=1)).all()
