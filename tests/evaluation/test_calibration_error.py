from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.evaluation.calibration_error import Reliability, debiased_error, reliability
from reference.slow_calibration import slow_error


def model(n: int, seed: int, over: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences of a model that is right less often than it says by `over`."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.4, 1.0, n)
    return confidence, rng.random(n) < confidence - over


def found(n: int = 600, seed: int = 0, over: float = 0.0) -> Reliability:
    return reliability(*model(n, seed, over), np.random.default_rng(1), repeats=100)


def test_the_error_is_that_of_its_definition() -> None:
    r = found(over=0.1)
    assert r.error == pytest.approx(slow_error(r.confidence, r.accuracy, r.windows), rel=1e-9)
    certain = [0.9, 0.6], [1.0, 0.6], [10, 30]
    arrays = [np.array(x) for x in certain]
    assert debiased_error(*arrays) == pytest.approx(slow_error(*certain), rel=1e-9)


def errors(over: float) -> tuple[float, float]:
    """Mean plain and debiased error of many small samples."""
    plain, debiased = [], []
    for seed in range(60):
        r = found(300, seed, over)
        gaps = np.abs(np.subtract(r.accuracy, r.confidence))
        plain.append(np.average(gaps, weights=r.windows))
        debiased.append(r.error)
    return float(np.mean(plain)), float(np.mean(debiased))


def test_the_bias_of_small_bins_is_taken_off() -> None:
    plain, debiased = errors(0.0)
    assert plain > 0.06
    assert debiased < 0.65 * plain
    plain, debiased = errors(0.1)
    assert plain > 0.11
    assert debiased == pytest.approx(0.1, abs=0.01)


def test_a_calibrated_model_is_inside_its_band_and_another_is_not() -> None:
    inside = [(r := found(600, seed)).error <= r.band for seed in range(60)]
    assert 0.85 <= np.mean(inside) < 1.0
    for seed in range(10):
        r = found(600, seed, over=0.15)
        assert r.error > r.band
        assert r.error == pytest.approx(0.15, abs=0.05)


def test_bins_hold_equally_many_windows_in_the_order_of_confidence() -> None:
    r = found(601)
    assert len(r.windows) == 15
    assert sum(r.windows) == r.n == 601
    assert max(r.windows) - min(r.windows) <= 1
    assert r.confidence == sorted(r.confidence)
    confidence, right = model(601, 0)
    assert np.average(r.accuracy, weights=r.windows) == pytest.approx(right.mean())
    assert np.average(r.confidence, weights=r.windows) == pytest.approx(confidence.mean())
    assert all(low <= high for low, high in zip(r.low, r.high, strict=True))
    assert len(found(50).windows) == 2
    assert found(7).windows == [7]


def test_the_same_generator_gives_the_same_band() -> None:
    assert found() == found()
