"""Models of some modalities each: what they learned from, and how they answer together."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import DataError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.experiments.separate import Separate
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import keep, random_windows

CLASSES = np.array(["0", "1", "2", "9"])
PRESENT = np.array([[True, True], [True, False], [False, True], [False, False]])
RECIPE = load_recipe("tiny").override({"training.epochs": 1, "model_kind": "logistic"})


def make() -> MaestroClassifier:
    return MaestroClassifier(recipe=RECIPE, random_state=0, n_threads=1)


def some(n: int = 24) -> Windows:
    windows = random_windows({"a": 16.0, "b": 4.0}, n, seed=3)
    labelled = keep(windows, np.tile(PRESENT, (n // 4, 1)))
    return labelled.replace(labels=np.arange(n) // 4 % 3)


def test_each_learns_from_its_own_modality_and_windows_that_have_it() -> None:
    windows = some()
    found = Separate.fit(make, [("a",), ("b",)], windows)
    for m, (names, model) in enumerate(found.models):
        own = windows.select(names)[np.flatnonzero(windows.present[:, m])]
        alone = make().fit(own)
        assert model.schema_.names == names
        seen = windows.select(names)
        assert np.array_equal(model.predict_proba(seen), alone.predict_proba(seen))
    assert found.parameters == 0  # logistic regression has buffers


def test_those_that_see_something_are_averaged() -> None:
    windows = some()
    found = Separate.fit(make, [("a",), ("b",)], windows)
    said = found.predict(windows, CLASSES).probabilities
    own = [model.predict_proba(windows.select(names)) for names, model in found.models]
    weight = windows.present / np.maximum(windows.present.sum(axis=1, keepdims=True), 1)
    weight[~windows.present.any(axis=1)] = 0.5
    mean = weight[:, [0]] * own[0] + weight[:, [1]] * own[1]
    assert said[:, :3] == pytest.approx(mean)
    assert (said[:, 3] == 0).all()  # a class that training lacked


def test_what_cannot_be_trained_is_named() -> None:
    windows = some()
    nothing = keep(windows, np.tile([True, False], (len(windows), 1)))
    with pytest.raises(DataError, match="the model of b"):
        Separate.fit(make, [("a",), ("b",)], nothing)
