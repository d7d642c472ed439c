from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from maestro_ts.evaluation.metrics import macro_f1, subject_intervals
from maestro_ts.evaluation.resampled_scores import (
    SubjectDraws,
    f1_scores,
    interval,
    weighted_auroc,
)

SUBJECTS = np.repeat([f"s{i}" for i in range(6)], [5, 9, 12, 3, 8, 20])
N = len(SUBJECTS)


def guesses(k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=N)
    return truth, np.where(rng.random(N) < 0.6, truth, rng.integers(k, size=N))


def test_f1_of_every_draw_is_that_of_the_windows_drawn() -> None:
    truth, predicted = guesses()
    draws = SubjectDraws(SUBJECTS, 20, np.random.default_rng(1))
    macro, f1 = f1_scores(truth, predicted, 5, draws)
    weights = draws.weights()
    assert len(draws) == len(macro) == 21
    assert macro[0] == pytest.approx(macro_f1(truth, predicted))
    for row in range(21):
        windows = np.repeat(np.arange(N), weights[row].astype(int))
        assert macro[row] == pytest.approx(macro_f1(truth[windows], predicted[windows]))
        each = f1_score(
            truth[windows], predicted[windows], labels=range(5), average=None, zero_division=0
        )
        assert f1[row] == pytest.approx(each)


def test_the_interval_is_that_of_the_results() -> None:
    truth, predicted = guesses()
    draws = SubjectDraws(SUBJECTS, 500, np.random.default_rng(7))
    found = interval(f1_scores(truth, predicted, 4, draws)[0])
    rng = np.random.default_rng(7)
    expected = subject_intervals(truth, predicted, SUBJECTS, 4, rng, 500)["macro_f1"]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_auroc_of_every_draw_is_that_of_sklearn(ties: bool) -> None:
    rng = np.random.default_rng(2)
    positive = rng.random(N) < 0.4
    scores = rng.integers(0, 5, N) / 4 if ties else rng.random(N)
    weights = SubjectDraws(SUBJECTS, 20, rng).weights()
    found = weighted_auroc(positive, scores, weights)
    for row in range(21):
        expected = roc_auc_score(positive, scores, sample_weight=weights[row])
        assert found[row] == pytest.approx(expected)


def test_auroc_of_one_class_is_none() -> None:
    there = np.array([True, False])
    found = weighted_auroc(there, np.array([0.9, 0.1]), np.array([[1.0, 1.0], [2.0, 0.0]]))
    assert found[0] == 1.0
    assert np.isnan(found[1])


def test_one_subject_is_not_drawn() -> None:
    draws = SubjectDraws(np.full(N, "a"), 20, np.random.default_rng(0))
    assert len(draws) == 1
    assert interval(f1_scores(*guesses(), 4, draws)[0]) is None
