"""Metrics of class predictions; intervals by subject: its windows are not independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "accuracy",
    "average_precision",
    "confusion",
    "f1_of_confusion",
    "macro_f1",
    "ranking_intervals",
    "roc_auc",
    "subject_intervals",
]


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Share of windows whose class is right."""
    return float(np.mean(np.asarray(truth) == np.asarray(predicted)))


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Unweighted mean of the F1 of the classes that occur in truth or prediction."""
    from sklearn.metrics import f1_score

    return float(f1_score(np.asarray(truth), np.asarray(predicted), average="macro"))


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Counts [K, K]: row truth, column prediction."""
    table = np.zeros((k, k), dtype=np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table


def f1_of_confusion(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Macro-F1 of confusion tables [..., K, K], over the classes that occur in each."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    total = tables.sum(axis=-1) + tables.sum(axis=-2)
    there = total > 0
    f1 = np.where(there, 2.0 * hits / np.maximum(total, 1), 0.0)
    return np.asarray(f1.sum(axis=-1) / np.maximum(there.sum(axis=-1), 1))


def subject_intervals(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    subjects: NDArray[np.str_],
    k: int,
    rng: np.random.Generator,
    repeats: int = 1000,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of accuracy and macro-F1: subjects are drawn with all their windows."""
    tables = np.stack(
        [confusion(truth[subjects == s], predicted[subjects == s], k) for s in np.unique(subjects)]
    )
    drawn = rng.multinomial(len(tables), np.full(len(tables), 1 / len(tables)), size=repeats)
    pooled = np.tensordot(drawn, tables, axes=1)
    right = np.diagonal(pooled, axis1=-2, axis2=-1).sum(axis=-1) / pooled.sum(axis=(-2, -1))
    edges = [(1 - level) / 2, (1 + level) / 2]
    low_high = {"accuracy": right, "macro_f1": f1_of_confusion(pooled)}
    return {
        name: (float(np.quantile(v, edges[0])), float(np.quantile(v, edges[1])))
        for name, v in low_high.items()
    }


def roc_auc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float | None:
    """Area under the receiver operating characteristic (AUROC); None with one class only."""
    from sklearn.metrics import roc_auc_score

    both = bool(positive.any()) and not bool(positive.all())
    return float(roc_auc_score(positive, scores)) if both else None


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float | None:
    """Area under the precision-recall curve (AUPRC) as its average precision; None without any."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(positive, scores)) if positive.any() else None


def ranking_intervals(
    positive: NDArray[np.bool_],
    scores: NDArray[np.float64],
    subjects: NDArray[np.str_],
    rng: np.random.Generator,
    repeats: int = 200,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of AUROC and AUPRC: subjects are drawn with all their windows.

    Draws with one class only are left out; nothing is returned when there are no others.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    owner = np.unique(subjects, return_inverse=True)[1]
    n = int(owner.max()) + 1
    weights = rng.multinomial(n, np.full(n, 1 / n), size=repeats)[:, owner].astype(np.float64)
    drawn = [w for w in weights if w[positive].any() and w[~positive].any()]
    if not drawn:
        return {}
    edges = [(1 - level) / 2, (1 + level) / 2]
    found = {
        "auroc": [roc_auc_score(positive, scores, sample_weight=w) for w in drawn],
        "auprc": [average_precision_score(positive, scores, sample_weight=w) for w in drawn],
    }
    return {
        name: (float(np.quantile(v, edges[0])), float(np.quantile(v, edges[1])))
        for name, v in found.items()
    }
