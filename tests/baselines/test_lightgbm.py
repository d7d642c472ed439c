"""The registered trees against LightGBM called by hand, and what they do without sensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro_ts import MaestroClassifier, load
from maestro_ts.baselines.lightgbm import VALIDATION_SEED
from maestro_ts.baselines.statistics import drop_modalities, statistics_51, statistics_nine
from maestro_ts.signals.masks import hide, pattern_mask
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows

lightgbm = pytest.importorskip("lightgbm")

Make = Callable[..., Windows]
NINE: dict[str, Any] = {"model_kind": "lightgbm", "curriculum.segment_probability": 0.0}
LARGE = NINE | {
    "curriculum.modality_max": 0.5,
    "rival.statistics": "31",
    "rival.trees": 300,
    "rival.leaves": 31,
    "rival.learning_rate": 0.05,
    "rival.copies": 3,
    "rival.least_rate": 0.1,
    "rival.patience": 20,
}


def by_hand(
    windows: Windows, table: Any, low: float, high: float, copies: int, seed: int, **changes: Any
) -> Any:
    """The published rivals: copies drawn, weighed and boosted without any of the library."""
    targets = np.unique(windows.labels, return_inverse=True)[1]
    features, names = table(windows)

    def data(rows: Any, rng: np.random.Generator, reference: Any = None) -> Any:
        present, parts = windows.present[rows], [features[rows]]
        for _ in range(copies):
            rate = rng.uniform(low, high, size=(len(present), 1))
            keep = rng.random(present.shape) >= rate
            spared = np.where(present, rng.random(present.shape), -1.0).argmax(axis=1)
            bare = np.flatnonzero(~(keep & present).any(axis=1))
            keep[bare, spared[bare]] = True
            parts.append(drop_modalities(features[rows], names, windows.schema, keep))
        label, weight = np.tile(targets[rows], len(parts)), 1.0 / len(parts)
        weights = np.full(len(label), weight)
        return lightgbm.Dataset(np.concatenate(parts), label, weight=weights, reference=reference)

    settings = {"objective": "multiclass", "num_class": 2, "metric": "multi_logloss"}
    settings |= {"feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1}
    settings |= {"lambda_l2": 1.0, "deterministic": True, "force_row_wise": True}
    settings |= {"num_threads": 1, "seed": seed, "verbosity": -1, "min_data_in_leaf": 20}
    rng = np.random.default_rng(seed)
    rounds, patience = changes.pop("rounds"), changes.pop("patience", None)
    if patience is None:
        train = data(np.arange(len(windows)), rng)
        return lightgbm.train(settings | changes, train, num_boost_round=rounds)
    kept, held = subject_holdout(windows.subjects, 0.15, rng, targets)
    train = data(kept, rng)
    return lightgbm.train(
        settings | changes,
        train,
        num_boost_round=rounds,
        valid_sets=[data(held, np.random.default_rng(VALIDATION_SEED), train)],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )


def test_the_default_is_the_fit_by_hand(shaken: Make) -> None:
    train, test = shaken(80), shaken(40, 1)
    small = {"learning_rate": 0.1, "num_leaves": 15}
    booster = by_hand(train, statistics_nine, 0.0, 0.6, 6, 4, rounds=200, **small)
    clf = MaestroClassifier(settings=NINE, random_state=4).fit(train)
    wanted = booster.predict(statistics_nine(test)[0], num_threads=1)
    np.testing.assert_allclose(clf.predict_proba(test), wanted, rtol=0, atol=1e-14)


def test_the_large_one_is_the_fit_by_hand_with_held_out_subjects(shaken: Make) -> None:
    train, test = shaken(80), shaken(40, 1)
    large = {"learning_rate": 0.05, "num_leaves": 31, "patience": 20}
    booster = by_hand(train, statistics_51, 0.1, 0.5, 3, 4, rounds=300, **large)
    assert 0 < booster.best_iteration < 300
    clf = MaestroClassifier(settings=LARGE, random_state=4).fit(train)
    wanted = booster.predict(statistics_51(test)[0], num_threads=1)
    np.testing.assert_allclose(clf.predict_proba(test), wanted, rtol=0, atol=1e-14)


def test_it_classifies_with_and_without_sensors_and_from_its_folder(
    shaken: Make, tmp_path: Path
) -> None:
    train, test = shaken(80), shaken(40, 1)
    clf = MaestroClassifier(settings={"model_kind": "lightgbm"}, random_state=0).fit(train)
    assert clf.validation_subjects_ == clf.training_log_ == []
    clf.save(tmp_path / "model")
    assert {p.suffix for p in (tmp_path / "model").iterdir()} <= {
        *(".json", ".jsonl", ".yaml", ".safetensors")
    }
    stored = load(tmp_path / "model")
    for windows in (test, hide(test, pattern_mask(test, ["acc"]))):
        assert clf.score(windows, windows.labels) > 0.85
        assert (stored.predict_proba(windows) == clf.predict_proba(windows)).all()
    nothing = hide(test, pattern_mask(test, []))
    assert np.isfinite(clf.explain(nothing).logits).all()
    other = MaestroClassifier(settings={"model_kind": "lightgbm"}, random_state=1).fit(train)
    assert (other.predict_proba(test) != clf.predict_proba(test)).any()


def test_windows_of_weight_0_have_no_say(shaken: Make) -> None:
    train, test = shaken(80), shaken(40, 1)
    settings = NINE | {"curriculum.modality_max": 0.0, "rival.trees": 5}
    turned = np.where(np.arange(80) < 40, train.labels, train.labels[::-1])
    weight = np.where(np.arange(80) < 40, 1.0, 0.0)
    clf = MaestroClassifier(settings=settings, random_state=0)
    with_zeros = clf.fit(train, turned, sample_weight=weight).score(test, test.labels)
    assert with_zeros > 0.85


def test_without_a_curriculum_there_are_no_copies(
    shaken: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    made = lightgbm.Dataset
    monkeypatch.setattr(
        lightgbm, "Dataset", lambda x, *a, **k: rows.append(len(x)) or made(x, *a, **k)
    )
    for modalities, segments in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.3)):
        settings = {
            "curriculum.modality_max": modalities,
            "curriculum.segment_probability": segments,
            "rival.trees": 1,
        }
        MaestroClassifier(settings=NINE | settings).fit(shaken(24))
    assert rows == [24, 24 * 7, 24 * 7]
