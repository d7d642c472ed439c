from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from maestro_ts.evaluation.metrics import (
    accuracy,
    average_precision,
    confusion,
    f1_of_confusion,
    macro_f1,
    ranking_intervals,
    roc_auc,
    subject_intervals,
)

K = 5


def guesses(
    seed: int, n: int = 80, right: float = 0.5, k: int = K
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n)
    return truth, np.where(rng.random(n) < right, truth, rng.integers(k, size=n))


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_are_those_of_sklearn(seed: int) -> None:
    truth, predicted = guesses(seed)
    assert accuracy(truth, predicted) == pytest.approx(accuracy_score(truth, predicted))
    assert macro_f1(truth, predicted) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_confusion_has_the_truth_in_rows() -> None:
    assert confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3).tolist() == [
        *([1, 1, 0], [0, 1, 0], [0, 0, 0]),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_confusion_is_that_of_sklearn(seed: int) -> None:
    truth, predicted = guesses(seed)
    expected = confusion_matrix(truth, predicted, labels=range(K))
    assert np.array_equal(confusion(truth, predicted, K), expected)


@pytest.mark.parametrize("n", [1, 3, 80])
@pytest.mark.parametrize("seed", range(5))
def test_f1_of_confusion_is_that_of_sklearn_with_absent_classes_too(seed: int, n: int) -> None:
    truth, predicted = guesses(seed, n)
    table = confusion(truth, predicted, K)
    assert f1_of_confusion(table) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_f1_of_confusion_of_many_tables_is_that_of_each() -> None:
    tables = np.stack([confusion(*guesses(seed), K) for seed in range(6)]).reshape(2, 3, K, K)
    each = [[f1_of_confusion(table) for table in row] for row in tables]
    assert np.allclose(f1_of_confusion(tables), each)


def test_f1_of_an_empty_table_is_zero_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f1_of_confusion(np.zeros((2, 2), dtype=np.int64)) == 0.0


def test_a_class_that_is_only_predicted_counts_as_wrong() -> None:
    truth, predicted = np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])
    assert macro_f1(truth, predicted) == pytest.approx((6 / 7 + 0) / 2)


# ------------------------------------------------------------------- intervals


def intervals(subjects: np.ndarray, seed: int = 0, **options: float) -> dict:
    truth, predicted = guesses(1, len(subjects), right=0.6)
    rng = np.random.default_rng(seed)
    return subject_intervals(truth, predicted, subjects, K, rng, **options)


def test_intervals_are_those_of_a_bootstrap_that_draws_whole_subjects() -> None:
    subjects = np.repeat([f"s{i}" for i in range(8)], [5, 9, 12, 3, 8, 20, 7, 16])
    truth, predicted = guesses(1, len(subjects), right=0.6)
    rng = np.random.default_rng(7)
    scores = []
    for _ in range(2000):
        drawn = rng.choice(np.unique(subjects), size=8)
        rows = np.concatenate([np.flatnonzero(subjects == s) for s in drawn])
        t, p = truth[rows], predicted[rows]
        scores.append((np.mean(t == p), f1_of_confusion(confusion(t, p, K))))
    found = intervals(subjects, repeats=2000)
    for column, metric in enumerate(("accuracy", "macro_f1")):
        expected = np.quantile(np.array(scores)[:, column], [0.025, 0.975])
        assert np.allclose(found[metric], expected, atol=0.015)


def test_windows_of_a_subject_stay_together() -> None:
    """Two subjects, one always right and one always wrong: only three values are possible."""
    subjects = np.repeat(["a", "b"], 50)
    truth = np.zeros(100, dtype=np.int64)
    predicted = np.repeat([0, 1], 50)
    found = subject_intervals(truth, predicted, subjects, 2, np.random.default_rng(0))
    assert found["accuracy"] == (0.0, 1.0)


def test_one_subject_has_an_interval_without_width() -> None:
    truth, predicted = guesses(1, 40)
    subjects = np.full(40, "a")
    found = subject_intervals(truth, predicted, subjects, K, np.random.default_rng(0))
    assert found["accuracy"] == pytest.approx((accuracy_score(truth, predicted),) * 2)
    assert found["macro_f1"] == pytest.approx((macro_f1(truth, predicted),) * 2)


def test_a_subjects_size_counts_not_only_its_number() -> None:
    subjects = np.repeat(["a", "b", "c"], [90, 5, 5])
    truth = np.zeros(100, dtype=np.int64)
    predicted = np.repeat([0, 1, 1], [90, 5, 5])
    low, high = subject_intervals(truth, predicted, subjects, 2, np.random.default_rng(0))[
        "accuracy"
    ]
    assert (low, high) == (0.0, 1.0)
    wide = subject_intervals(truth, predicted, subjects, 2, np.random.default_rng(0), level=0.2)
    assert wide["accuracy"][1] > 0.85


def test_a_higher_level_is_wider() -> None:
    subjects = np.repeat([f"s{i}" for i in range(8)], 10)
    narrow, wide = (intervals(subjects, level=level)["accuracy"] for level in (0.5, 0.95))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_same_generator_gives_the_same_interval() -> None:
    subjects = np.repeat([f"s{i}" for i in range(8)], 10)
    assert intervals(subjects, seed=3) == intervals(subjects, seed=3)
    assert intervals(subjects, seed=3) != intervals(subjects, seed=4)


@pytest.mark.parametrize("seed", range(3))
def test_auroc_is_the_share_of_pairs_in_the_right_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive, scores = rng.random(40) < 0.3, rng.integers(0, 6, 40) / 5
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert roc_auc(positive, scores) == pytest.approx(np.mean(pairs))


def test_auprc_by_hand() -> None:
    # Ranked: hit, miss, hit. Precision 1 at the first hit, 2/3 at the second.
    found = average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]))
    assert found == pytest.approx((1 + 2 / 3) / 2)


def test_one_class_alone_has_no_ranking() -> None:
    scores = np.array([0.1, 0.9])
    assert roc_auc(np.array([True, True]), scores) is None
    assert roc_auc(np.array([False, False]), scores) is None
    assert average_precision(np.array([False, False]), scores) is None
    subjects = np.array(["a", "b"])
    rng = np.random.default_rng(0)
    assert ranking_intervals(np.array([False, False]), scores, subjects, rng) == {}


def test_intervals_of_a_ranking_are_by_subject() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.4
    scores = np.where(positive, 0.6, 0.4) + 0.2 * rng.normal(size=300)
    many = ranking_intervals(positive, scores, np.arange(300).astype(str), np.random.default_rng(1))
    few = ranking_intervals(
        positive, scores, (np.arange(300) // 75).astype(str), np.random.default_rng(1)
    )
    for name, value in (
        ("auroc", roc_auc(positive, scores)),
        ("auprc", average_precision(positive, scores)),
    ):
        assert value is not None
        low, high = many[name]
        assert low < value < high
        assert few[name] != many[name]
