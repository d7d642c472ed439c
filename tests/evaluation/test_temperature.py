from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.temperature import HOTTEST, fit_temperature, log_loss
from reference.slow_calibration import slow_log_loss


def drawn(n: int = 4000, k: int = 4, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from what they say at a temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, k))
    chances = softmax(logits / temperature, axis=1).cumsum(axis=1)
    return logits, (rng.random(n)[:, None] > chances).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_the_labels_is_found(temperature: float) -> None:
    logits, truth = drawn(temperature=temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.06)


def test_no_other_temperature_has_a_smaller_loss() -> None:
    logits, truth = drawn(300, temperature=2.0)
    best = fit_temperature(logits, truth)
    for near in (0.999, 1.001):
        assert log_loss(logits, truth, best) < log_loss(logits, truth, near * best)


def test_log_loss_is_that_of_its_definition() -> None:
    logits, truth = drawn(50)
    for temperature in (0.3, 1.0, 4.0):
        slow = slow_log_loss(logits, truth, temperature)
        assert log_loss(logits, truth, temperature) == pytest.approx(slow, rel=1e-12)


def test_the_scale_of_the_logits_does_not_matter() -> None:
    logits, truth = drawn(300)
    once, twice = fit_temperature(logits, truth), fit_temperature(2 * logits, truth)
    assert twice == pytest.approx(2 * once)
    assert fit_temperature(logits + 1000.0, truth) == pytest.approx(once)


def test_logits_that_are_never_wrong_or_always_end_at_the_bounds() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(logits, np.array([0, 1])) == 1.0 / HOTTEST
    assert fit_temperature(logits, np.array([1, 0])) == HOTTEST
    assert fit_temperature(np.zeros((2, 2)), np.array([0, 1])) == HOTTEST


def test_probabilities_are_those_of_the_temperature_and_the_class_stays() -> None:
    logits, _ = drawn(50)
    hot = Prediction(logits, temperature=3.0)
    assert hot.probabilities == pytest.approx(softmax(logits / 3.0, axis=1))
    assert (hot.probabilities.argmax(axis=1) == logits.argmax(axis=1)).all()
