"""Ridge in its dual form against scikit-learn, and against refits without each window."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import Ridge, RidgeClassifierCV

from maestro_ts.baselines import ridge
from maestro_ts.baselines.ridge import ALPHAS, fit_ridge


def rows(n: int = 30, features: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.arange(n) % 3
    x = rng.normal(size=(n, features)) + np.eye(3, features)[targets]
    return x.astype(np.float32), targets


def test_without_copies_it_is_scikit_learns_up_to_one_temperature() -> None:
    x, targets = rows()
    found = fit_ridge(x, targets, np.ones(30), 3, windows=30)
    wanted = RidgeClassifierCV(alphas=ALPHAS, fit_intercept=False).fit(x.astype(float), targets)
    share = found / wanted.coef_.T
    np.testing.assert_allclose(share, share[0, 0], rtol=1e-6)


def test_a_window_is_left_out_with_its_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors, strength and temperature are those of refits without all rows of a window."""
    x, targets = rows(15)
    rng = np.random.default_rng(1)
    copied = np.concatenate([x, x * (rng.random(x.shape) < 0.5)]).astype(np.float32)
    labels = np.tile(targets, 2)
    weights = np.tile(np.arange(15) % 3, 2) / 2.0  # every third has no say
    alphas = np.array([0.1, 3.0, 100.0])
    monkeypatch.setattr(ridge, "ALPHAS", alphas)
    signs = np.where(labels[:, None] == np.arange(3), 1.0, -1.0)
    left_out = np.zeros((3, 30, 3))
    for a, alpha in enumerate(alphas):
        for i in range(15):
            rest = np.arange(30) % 15 != i
            model = Ridge(alpha, fit_intercept=False)
            model.fit(copied[rest].astype(float), signs[rest], sample_weight=weights[rest])
            left_out[a, ~rest] = model.predict(copied[~rest].astype(float))
    errors = (weights[:, None] * (left_out - signs) ** 2).sum(axis=(1, 2))
    best = int(errors.argmin())
    whole = Ridge(alphas[best], fit_intercept=False)
    whole.fit(copied.astype(float), signs, sample_weight=weights)
    found = fit_ridge(copied, labels, weights, 3, windows=15)
    temperature = float(whole.coef_.T[0, 0] / found[0, 0])
    np.testing.assert_allclose(found * temperature, whole.coef_.T, rtol=1e-4, atol=1e-8)

    def loss(t: float) -> float:
        logs = log_softmax(left_out[best] / t, axis=1)
        return -float((weights * logs[np.arange(30), labels]).sum())

    assert loss(temperature) <= min(loss(temperature * 1.02), loss(temperature / 1.02))
