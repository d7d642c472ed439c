"""The budget learns: more queries for the modality where they help, the same for all if none does.

Three streams of 64 bins carry a mark at four random bins. In one of them a second channel says the
class at the marked bins and is random, half as loud, elsewhere; in the others it says nothing.
Queries that attend to marked bins carry the class to many places, where the mean of all values
drowns it. (A network can also learn the task slowly without attending; here it pays to attend.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts import MaestroClassifier, Modality, Windows

NAMES = ("a", "b", "c")
BINS, MARKS, PER_BIN = 64, 4, 2
SETTINGS = {
    "symbols.tokens": BINS,
    "symbols.views": ("level",),
    "symbols.summary": False,
    "model.fusion_layers": 0,  # nothing later in the network does the finding
    "experts.placement": "none",
    # Half of the largest budget from the outset: both ways are open, and 60 s are enough.
    "budget.beta": 5.0,
    "budget.start": 0.5,
    "budget.price": 0.002,
    "curriculum.modality_max": 0.0,
    "curriculum.segment_probability": 0.0,
    "training.epochs": 10,
    "training.schedule": "constant",
    "training.learning_rate": 5e-3,
}
ONE_QUERY = 0.24  # times ln 64


def streams(
    n: int, informative: str, rng: np.random.Generator
) -> tuple[Windows, NDArray[np.int64]]:
    labels = rng.integers(0, 2, n)
    arrays = {}
    for name in NAMES:
        said = labels if name == informative else rng.integers(0, 2, n)
        values = 0.5 * rng.choice([-1.0, 1.0], (n, BINS))
        marks = np.zeros((n, BINS))
        for i in range(n):
            places = rng.choice(BINS, MARKS, replace=False)
            marks[i, places] = 3.0
            values[i, places] = 2.0 * said[i] - 1.0
        both = np.repeat(np.stack([marks, values], axis=-1), PER_BIN, axis=1)
        arrays[name] = both + 0.05 * rng.normal(size=both.shape)
    schema = [Modality(name, channels=2, rate_hz=16) for name in NAMES]
    return Windows.from_arrays(arrays, schema), labels


@dataclass
class Learned:
    """A fitted classifier, its test windows, and which modality was informative."""

    clf: MaestroClassifier
    test: Windows
    wanted: NDArray[np.int64]
    informative: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        return float(self.clf.score(self.test, self.wanted))

    @property
    def budgets(self) -> NDArray[np.float64]:
        """Mean budget per modality on the test windows."""
        found = self.clf.explain(self.test).budgets
        assert found is not None
        mean: NDArray[np.float64] = found.mean(axis=0)
        return mean

    def accuracy_with_one_query(self, cut: NDArray[np.bool_]) -> float:
        """Accuracy when these modalities attend with a single query."""
        budget = self.clf.network_.budget
        learned = budget.forward

        def forward(present: Tensor, summaries: Tensor) -> Tensor:
            u: Tensor = learned(present, summaries).clone()
            u[:, np.flatnonzero(cut)] = ONE_QUERY
            return u

        budget.forward = forward
        try:
            return self.accuracy
        finally:
            del budget.forward


def learn(seed: int, *, shuffled: bool = False) -> Learned:
    rng = np.random.default_rng([seed, 11])
    informative = NAMES[seed % 3]
    train, labels = streams(512, informative, rng)
    test, wanted = streams(300, informative, rng)
    if shuffled:
        labels = rng.permutation(labels)
    clf = MaestroClassifier(recipe="tiny", settings=SETTINGS, random_state=seed, n_threads=1)
    clf.fit(train, labels)
    return Learned(clf, test, wanted, np.array([name == informative for name in NAMES]))


@pytest.mark.slow
def test_the_informative_modality_gets_the_budget_in_five_of_five_seeds() -> None:
    lost = []
    for seed in range(5):
        learned = learn(seed)
        accuracy, budgets = learned.accuracy, learned.budgets
        assert accuracy >= 0.9, f"seed {seed}: accuracy {accuracy:.3f}"
        mine, next_best = budgets[learned.informative][0], budgets[~learned.informative].max()
        assert mine >= 1.5 * next_best, f"seed {seed}: {budgets.round(3)}"
        # The queries are worth their price where they are, and nothing elsewhere.
        lost.append(accuracy - learned.accuracy_with_one_query(learned.informative))
        elsewhere = accuracy - learned.accuracy_with_one_query(~learned.informative)
        assert elsewhere <= 0.02, f"seed {seed}: {elsewhere:.3f} lost elsewhere"
    assert np.mean(lost) >= 0.03, f"lost without the queries: {np.round(lost, 3)}"


@pytest.mark.slow
def test_shuffled_labels_leave_the_budgets_equal() -> None:
    learned = learn(0, shuffled=True)
    budgets = learned.budgets
    assert abs(learned.accuracy - 0.5) <= 0.1
    assert np.abs(budgets / budgets.mean() - 1.0).max() <= 0.1, f"{budgets.round(4)}"
