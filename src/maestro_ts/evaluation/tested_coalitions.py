"""What a model scores with some players alone: every coalition is asked for once and remembered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maestro_ts.evaluation.resampled_scores import SubjectDraws, f1_scores, weighted_auroc

__all__ = ["PAIRS_AT_ONCE", "Ask", "TestedCoalitions", "without_each"]

# Modalities kept [s, M] → probabilities [s, n, K] of all windows with the others absent.
Ask = Callable[[NDArray[np.bool_]], NDArray[np.float64]]

PAIRS_AT_ONCE = 4096  # windows times coalitions that are asked for in one call


class TestedCoalitions:
    """Scores of coalitions on the same windows and the same draws of subjects.

    Two bytes a window and eight a draw are kept of each coalition: 4,096 coalitions of 4,000
    windows with 1,000 draws take 66 MB. The probabilities themselves are not kept.

    Parameters
    ----------
    ask : callable
        See `Ask`.
    members : (P, M), bool
        The modalities of each player.
    truth : (n,)
    k : int
        Classes.
    draws : SubjectDraws
    positive : int or None
        Score the AUROC of this class; None: macro-F1.
    progress : callable
        Called with the number of coalitions tested and of those known to be needed.

    Attributes
    ----------
    coalitions : (S, P), bool
    scores : (S, rows)
        Everyone's first, then of the draws.
    class_f1 : (S, K)
        Everyone's.
    """

    def __init__(
        self,
        ask: Ask,
        members: NDArray[np.bool_],
        truth: NDArray[np.int64],
        k: int,
        draws: SubjectDraws,
        positive: int | None,
        progress: Callable[[int, int], None],
    ) -> None:
        self.ask, self.members, self.truth, self.k = ask, members, truth, k
        self.draws, self.positive, self.progress = draws, positive, progress
        self._rows: dict[bytes, int] = {}
        self._scores: list[NDArray[np.float64]] = []
        self._class_f1: list[NDArray[np.float64]] = []
        self._predicted: list[NDArray[np.uint16]] = []

    @property
    def coalitions(self) -> NDArray[np.bool_]:
        """All that were tested, in the order in which they were."""
        keys = np.frombuffer(b"".join(self._rows), dtype=bool)
        return keys.reshape(len(self._rows), len(self.members))

    @property
    def scores(self) -> NDArray[np.float64]:
        """Of each coalition, [S, rows]."""
        return np.stack(self._scores)

    @property
    def class_f1(self) -> NDArray[np.float64]:
        """Of each coalition, [S, K]."""
        return np.stack(self._class_f1)

    def drawn_class_f1(self, row: int) -> NDArray[np.float64]:
        """F1 of every class for one coalition, everyone's and of the draws, [rows, K]."""
        return f1_scores(self.truth, self._predicted[row].astype(np.int64), self.k, self.draws)[1]

    def rows(self, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Where these coalitions [s, P] stand, [s]; those not known yet are tested."""
        keys = [coalition.tobytes() for coalition in wanted]
        new = list({key: i for i, key in enumerate(keys) if key not in self._rows}.values())
        known, block = len(self._rows), max(1, PAIRS_AT_ONCE // len(self.truth))
        for first in range(0, len(new), block):
            coalitions = wanted[new[first : first + block]]
            for coalition, said in zip(coalitions, self._asked(coalitions), strict=True):
                self._add(coalition, said)
            self.progress(len(self._rows), known + len(new))
        return np.array([self._rows[key] for key in keys], dtype=np.intp)

    def _asked(self, coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        return self.ask(np.asarray((coalitions[:, :, None] & self.members).any(axis=1)))

    def _add(self, coalition: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> None:
        predicted = probabilities.argmax(axis=1)
        score, f1 = f1_scores(self.truth, predicted, self.k, self.draws)
        if self.positive is not None:
            there = self.truth == self.positive
            weights = self.draws.weights()
            score = weighted_auroc(there, probabilities[:, self.positive], weights)
        self._rows[coalition.tobytes()] = len(self._rows)
        self._scores.append(score)
        self._class_f1.append(f1[0])
        self._predicted.append(predicted.astype(np.uint16))

    def eliminate(self) -> None:
        """Test the coalitions on the way down: again and again the least missed player goes."""
        left = np.ones(len(self.members), dtype=bool)
        while left.any():
            candidates = without_each(left)
            found = self.rows(candidates)
            best = max(range(len(found)), key=lambda i: self._scores[found[i]][0])
            left = candidates[best]


def without_each(coalition: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The coalition without each of its players in turn, [players in it, P]."""
    there = np.flatnonzero(coalition)
    fewer = np.tile(coalition, (len(there), 1))
    fewer[np.arange(len(there)), there] = False
    return fewer
