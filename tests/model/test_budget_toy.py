"""The budget learns: more queries for the modality that needs them, the same for all if none does.

Three streams of 64 bins carry a rare mark at four random bins. In one of them a second channel
says the class at the marked bins and is random elsewhere; in the others it says nothing. A query
that attends finds the marked bins; the mean of all values drowns them.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from maestro_ts import MaestroClassifier, Modality, Windows
from maestro_ts.recipe import load_recipe

NAMES = ("a", "b", "c")
BINS, MARKS, SHORTEST = 64, 4, 2  # samples per bin
SETTINGS = {
    "symbols.tokens": BINS,
    "symbols.views": ("level",),
    "symbols.summary": False,
    "model.dense_below": 0,  # the selecting path
    "model.fusion_layers": 0,  # nothing later in the network does the finding
    "experts.placement": "none",
    "budget.price": load_recipe("default").budget.price,
    "curriculum.modality_max": 0.0,
    "curriculum.segment_probability": 0.0,
    "training.epochs": 10,
    "training.schedule": "constant",
    "training.learning_rate": 5e-3,
}


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
        both = np.repeat(np.stack([marks, values], axis=-1), SHORTEST, axis=1)
        arrays[name] = both + 0.05 * rng.normal(size=both.shape)
    schema = [Modality(name, channels=2, rate_hz=16) for name in NAMES]
    return Windows.from_arrays(arrays, schema), labels


def learned(seed: int, *, shuffled: bool = False) -> tuple[NDArray[np.float64], float]:
    """Mean budget per modality on fresh windows, the informative one first; accuracy there."""
    rng = np.random.default_rng([seed, 11])
    informative = NAMES[seed % 3]
    train, labels = streams(512, informative, rng)
    test, wanted = streams(300, informative, rng)
    if shuffled:
        labels = rng.permutation(labels)
    clf = MaestroClassifier(recipe="tiny", settings=SETTINGS, random_state=seed, n_threads=1)
    clf.fit(train, labels)
    budgets = clf.explain(test).budgets
    assert budgets is not None
    order = np.argsort([name != informative for name in NAMES], kind="stable")
    return budgets.mean(axis=0)[order], float(clf.score(test, wanted))


@pytest.mark.slow
def test_the_informative_modality_gets_the_budget_in_five_of_five_seeds() -> None:
    for seed in range(5):
        budgets, accuracy = learned(seed)
        assert accuracy >= 0.9, f"seed {seed}: accuracy {accuracy:.3f}"
        assert budgets[0] >= 1.5 * budgets[1:].max(), f"seed {seed}: {budgets.round(3)}"


@pytest.mark.slow
def test_shuffled_labels_leave_the_budgets_equal() -> None:
    budgets, accuracy = learned(0, shuffled=True)
    assert abs(accuracy - 0.5) <= 0.1
    assert np.abs(budgets / budgets.mean() - 1.0).max() <= 0.1, f"{budgets.round(4)}"
