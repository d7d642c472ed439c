"""A score of predictions and the same on bootstrap draws of subjects, many predictions alike.

The draws are made once: two predictions of the same windows are compared on the same people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SubjectDraws", "f1_scores", "interval", "weighted_auroc"]

Floats = NDArray[np.float64]


class SubjectDraws:
    """How often every subject counts: row 0 once each, the others as drawn.

    Parameters
    ----------
    subjects : (n,)
        Of the windows; a subject is drawn with all of them.
    repeats : int
        Draws; none are made of a single subject, which says nothing about the next.
    rng : Generator
    """

    def __init__(self, subjects: NDArray[np.str_], repeats: int, rng: np.random.Generator) -> None:
        self.owner = np.unique(subjects, return_inverse=True)[1]
        self.subjects = int(self.owner.max()) + 1
        drawn = repeats if self.subjects > 1 else 0
        counts = rng.multinomial(self.subjects, np.full(self.subjects, 1 / self.subjects), drawn)
        self.counts = np.concatenate([np.ones((1, self.subjects)), counts]).astype(np.float64)

    def __len__(self) -> int:
        """Rows: everyone once, and the draws."""
        return len(self.counts)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Leave out the other rows."""
        self.counts = self.counts[rows]

    def totals(self, numbers: NDArray[np.int64], k: int) -> Floats:
        """Windows with each number below k, [rows, k], in each draw."""
        table = np.zeros((self.subjects, k))
        np.add.at(table, (self.owner, numbers), 1.0)
        return np.asarray(self.counts @ table)

    def weights(self) -> Floats:
        """How often every window counts, [rows, n]."""
        return np.asarray(self.counts[:, self.owner])


def f1_scores(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], k: int, draws: SubjectDraws
) -> tuple[Floats, Floats]:
    """Macro-F1 [rows] and the F1 of every class [rows, K], everyone's first.

    The mean is over the classes that occur in truth or prediction, as in `metrics.macro_f1`; the F1
    of a class that does not occur is 0.
    """
    right = truth == predicted
    hits = draws.totals(np.where(right, truth, k), k + 1)[:, :k]
    total = draws.totals(truth, k) + draws.totals(predicted, k)
    f1 = 2.0 * hits / np.maximum(total, 1.0)
    return f1.sum(axis=1) / np.maximum((total > 0).sum(axis=1), 1), f1


def weighted_auroc(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Area under the receiver operating characteristic for each row of weights.

    Parameters
    ----------
    positive : (n,)
    scores : (n,)
    weights : (rows, n)

    Returns
    -------
    (rows,)
        NaN where a row has one class only.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] > ordered[:-1]])
    drawn = weights[:, order]
    there = positive[order]
    up = np.add.reduceat(drawn * there, first, axis=1)
    down = np.add.reduceat(drawn * ~there, first, axis=1)
    below = np.cumsum(down, axis=1) - down
    pairs = up.sum(axis=1) * down.sum(axis=1)
    ahead = (up * (below + 0.5 * down)).sum(axis=1)
    return np.where(pairs > 0, ahead / np.maximum(pairs, 1e-300), np.nan)


def interval(values: Floats, level: float = 0.95) -> Floats | None:
    """Percentile interval over draws, [rows, …] → [2, …]; row 0 is not drawn. None without any."""
    if len(values) < 2:
        return None
    edges = [(1 - level) / 2, (1 + level) / 2]
    return np.asarray(np.quantile(values[1:], edges, axis=0))
