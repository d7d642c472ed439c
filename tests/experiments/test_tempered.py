"""Calibration of an entrant whose temperature comes from people of the other folds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.evaluation.temperature import Temperature, fit_single, fit_temperature, log_loss
from maestro_ts.experiments.pooled import SMALLEST, Pooled
from maestro_ts.experiments.tempered import Lack, lacks_of, tempered
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

N, K, M = 1200, 3, 4
FOLDS = [slice(0, 500), slice(500, N)]
TRUE = Temperature(2.0, 0.5, 0.0)
LACKS = {
    0: Lack(np.ones((N, M), dtype=bool), np.zeros(N)),
    2: Lack(np.tile(np.arange(M) < 1, (N, 1)), np.zeros(N)),
}


@pytest.fixture(scope="module")
def pooled() -> Pooled:
    """Two seeds, three conditions; what is claimed is too much, more so with one modality."""
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=N)
    said = []
    for i in range(3):
        lack = LACKS.get(i, LACKS[0])
        honest = rng.normal(size=(2, N, K))
        # Labels are drawn, so logits are made to fit them: noise and the truth's own logit.
        honest[:, np.arange(N), truth] += rng.normal(1.0, 1.0, (2, N))
        said.append(honest * TRUE.of(lack.present, lack.lost)[:, None])
    probabilities = [[softmax(z, axis=1) for z in of] for of in said]
    return Pooled(
        classes=list("abc"),
        positive=None,
        truth=truth,
        subjects=np.array([f"p{i % 20}" for i in range(N)]),
        complete=np.ones(N, dtype=bool),
        realised=np.zeros(3),
        predicted=[[p.argmax(axis=1) for p in of] for of in probabilities],
        probabilities=probabilities,
        folds=[(f, s, rows) for s in (7, 9) for f, rows in enumerate(FOLDS)],
        plan=[{"mode": "modality", "rate": r} for r in (0.0, 0.4, 0.8)],
    )


def test_each_fold_has_the_temperature_of_the_others(pooled: Pooled) -> None:
    found = tempered(pooled, LACKS)
    assert list(found) == [0, 2]
    one, several = [], []
    for seed in range(2):
        logits = {i: np.log(np.maximum(pooled.probabilities[i][seed], SMALLEST)) for i in LACKS}
        for rows, other in (FOLDS, FOLDS[::-1]):
            said = np.concatenate([logits[i][other] for i in LACKS])
            truth = np.tile(pooled.truth[other], 2)
            present = np.concatenate([lack.present[other] for lack in LACKS.values()])
            fitted = fit_temperature(said, truth, present, np.zeros(len(truth)))
            whole = fit_single(said, truth)
            own, right = logits[2][rows], pooled.truth[rows]
            hot = fitted.of(LACKS[2].present[rows], LACKS[2].lost[rows])
            n = len(right)
            one.append(n * log_loss(own, right, whole))
            several.append(n * log_loss(own, right, hot))
    assert found[2]["one_temperature"]["log_loss"] == pytest.approx(sum(one) / (2 * N), rel=1e-6)
    mean = sum(several) / (2 * N)
    assert found[2]["by_what_is_there"]["log_loss"] == pytest.approx(mean, rel=1e-6)


def test_what_is_claimed_becomes_true(pooled: Pooled) -> None:
    for row in tempered(pooled, LACKS).values():
        assert row["as_trained"]["error"] > 3 * row["as_trained"]["band"]
        assert row["by_what_is_there"]["error"] < row["as_trained"]["error"] / 3
        for better, worse in (
            ("by_what_is_there", "one_temperature"),
            ("one_temperature", "as_trained"),
        ):
            assert row[better]["log_loss"] < row[worse]["log_loss"]


def test_it_repeats(pooled: Pooled) -> None:
    assert tempered(pooled, LACKS) == tempered(pooled, LACKS)
    assert tempered(pooled, {}) == {}


def test_what_is_missing_is_that_of_the_tested_windows() -> None:
    schema = Schema([Modality("a", rate_hz=10.0), Modality("b", rate_hz=10.0)])
    rng = np.random.default_rng(0)
    windows = Windows.from_arrays(
        {m: rng.normal(size=(20, 30, 1)) for m in schema.names}, schema, duration_s=3.0
    )
    tests = [windows[np.arange(8)], windows[np.arange(8, 20)]]
    plan = [
        Condition("modality"),
        Condition("modality", 0.5),
        Condition("segment", 0.4),
        Condition("pattern", pattern=("a",)),
        Condition("noise", sensors=("a",), amount=1.0),
    ]
    found = lacks_of(tests, plan)
    assert list(found) == [0, 1, 2]
    seen = plan[1].seen(windows)
    assert (found[1].present == seen.present).all()
    assert not found[1].present.all()
    assert found[2].lost == pytest.approx(lost_share(plan[2].seen(windows)))
    assert found[2].lost.min() > 0.2
    assert lacks_of(tests[:1], plan) == {}
    assert lacks_of(tests, plan[:1]) == {}
