"""Search for settings: optuna itself, with an estimator that scores as it is told."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray_stand_in import Ray
from tiny_experiment import FAST

from maestro_ts.errors import ConfigError, DataError, MissingExtraError, RunError
from maestro_ts.experiments import search_trial
from maestro_ts.experiments.loading import load_data
from maestro_ts.experiments.main_job import splits_of
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.search_job import SearchJob, run_search
from maestro_ts.experiments.search_space import Range, load_space
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import EpochReport

pytest.importorskip("optuna")

SPACE = {
    "training.learning_rate": Range(**{"from": 1e-4, "to": 1e-2, "log": True}),
    "model.width": Range(choose=(8, 16)),
    "training.patience": Range(**{"from": 1, "to": 9}),
}


class Scripted:
    """Scores better the larger its learning rate is; tells of three epochs."""

    seen: list[tuple[Recipe, Windows, int]]

    def __init__(self, recipe: Recipe, random_state: int, callbacks: Any, **rest: Any) -> None:
        self.recipe, self.seed, self.callbacks = recipe, random_state, callbacks

    def fit(self, windows: Windows) -> None:
        self.seen.append((self.recipe, windows, self.seed))
        rate = self.recipe.training.learning_rate
        if rate < 3e-4:
            raise RunError("the training loss became inf at step 1.")
        for epoch in (1, 2, 3):
            score = 50 * rate + (0.1 if epoch == 2 else 0.0)
            best = epoch < 3
            report = EpochReport(epoch, 3, epoch, 3, 1.0, 1.0, score, rate, None, 1.0, best)
            for callback in self.callbacks:
                callback.on_epoch(report)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    Scripted.seen = []
    monkeypatch.setattr(search_trial, "estimator_for", lambda card: Scripted)
    return Scripted


def job(data: Path, out: Path, **changes: Any) -> SearchJob:
    recipe = load_recipe("tiny").override(FAST)
    return replace(SearchJob("watch", data, out, recipe, SPACE, trials=12, folds=3), **changes)


def test_the_best_settings_become_a_recipe_and_bad_ones_are_given_up(
    scripted: type[Scripted], tiny_data: Path, tmp_path: Path
) -> None:
    found = run_search(job(tiny_data, tmp_path, trials=20))
    assert {trial["state"] for trial in found.trials} == {"complete", "pruned", "fail"}
    rates = [t["settings"]["training.learning_rate"] for t in found.ranked]
    assert rates == sorted(rates, reverse=True)
    best = load_recipe(tmp_path / "best.yaml")
    assert best.training.learning_rate == rates[0] > 5e-3
    assert best.training.validation_share == load_recipe("tiny").training.validation_share
    assert best.name == "tiny-searched"
    assert all(recipe.training.validation_share > 0 for recipe, _, _ in scripted.seen)
    assert {seed for _, _, seed in scripted.seen} == {0}


@pytest.mark.parametrize(("share", "bonus"), [(0.0, 0.0), (0.3, 0.1)])
def test_a_trial_scores_as_the_weights_that_the_recipe_would_keep(
    share: float, bonus: float, scripted: type[Scripted], tiny_data: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("tiny").override({"training.validation_share": share})
    found = run_search(job(tiny_data, tmp_path, recipe=recipe, trials=4))
    for trial in found.ranked:
        rate = trial["settings"]["training.learning_rate"]
        assert trial["score"] == pytest.approx(50 * rate + bonus)


def test_test_subjects_are_never_among_a_trial_s_windows(
    scripted: type[Scripted], tiny_data: Path, tmp_path: Path
) -> None:
    run_search(job(tiny_data, tmp_path, trials=3))
    loaded = load_data("watch", tiny_data, None, Progress())
    train, test = splits_of(loaded, 3)[0][0]
    for _, windows, _ in scripted.seen:
        assert not set(windows.subjects) & set(loaded.windows.subjects[test])
        assert np.array_equal(windows.ids, loaded.windows[train].ids)


def test_an_interrupted_search_ends_as_one_that_was_not(
    scripted: type[Scripted], tiny_data: Path, tmp_path: Path
) -> None:
    whole = run_search(job(tiny_data, tmp_path / "whole"))
    run_search(job(tiny_data, tmp_path / "parts", trials=4))
    before = len(scripted.seen)
    again = run_search(job(tiny_data, tmp_path / "parts"))
    assert [t["settings"] for t in again.trials][:12] == [t["settings"] for t in whole.trials]
    assert len(scripted.seen) - before == len(again.trials) - 4
    with pytest.raises(RunError, match="another search lies here: it differs in seed"):
        run_search(job(tiny_data, tmp_path / "parts", seed=1))


def test_trials_on_a_cluster_are_proposed_as_others_end(
    scripted: type[Scripted], ray: Ray, tiny_data: Path, tmp_path: Path
) -> None:
    found = run_search(job(tiny_data, tmp_path, trials=20, engine="ray", jobs=3))
    assert ray.most == 3
    assert ray.said == [("init", 3), ("shutdown", None)]
    assert len(scripted.seen) == len(found.trials) == 20
    assert {trial["state"] for trial in found.trials} == {"complete", "fail"}  # none is pruned
    for trial, (recipe, _, _) in zip(found.trials, scripted.seen, strict=True):
        rate = trial["settings"]["training.learning_rate"]
        assert recipe.training.learning_rate == rate
        assert (trial["state"] == "fail") == (rate < 3e-4)
        assert trial["score"] in (None, pytest.approx(50 * rate + 0.1))


def test_a_cluster_of_one_finds_what_this_process_does(
    scripted: type[Scripted], ray: Ray, tiny_data: Path, tmp_path: Path
) -> None:
    here = run_search(job(tiny_data, tmp_path / "here", trials=4))
    there = run_search(job(tiny_data, tmp_path / "there", trials=4, engine="ray", jobs=1))
    assert there == here


def test_what_a_lost_cluster_had_begun_has_failed_and_the_search_goes_on(
    scripted: type[Scripted], ray: Ray, tiny_data: Path, tmp_path: Path
) -> None:
    ray.broken = True
    with pytest.raises(RunError, match="a node died"):
        run_search(job(tiny_data, tmp_path, trials=6, engine="ray", jobs=2))
    ray.broken = False
    found = run_search(job(tiny_data, tmp_path, trials=6, engine="ray", jobs=2))
    assert [t["state"] for t in found.trials[:2]] == ["fail", "fail"]
    assert len(found.trials) == 8
    assert len({str(t["settings"]) for t in found.trials}) == 8


def test_other_data_than_when_the_search_began_are_refused(
    scripted: type[Scripted], tiny_data: Path
) -> None:
    asked = search_trial.Trial(
        job(tiny_data, tiny_data).source, "other", 3, load_recipe("tiny"), True, 0, "cpu", 1
    )
    with pytest.raises(DataError, match="the data has changed since the search began"):
        search_trial.run_trial(asked)


def test_one_real_trial(tiny_data: Path, tmp_path: Path) -> None:
    found = run_search(
        job(tiny_data, tmp_path, trials=1, space={"model.width": SPACE["model.width"]})
    )
    assert found.measure == "macro-F1"
    assert 0 <= found.ranked[0]["score"] <= 1


def test_our_own_space_fits_our_own_recipe() -> None:
    recipe = load_recipe("default")
    for key, found in load_space(None).items():
        for value in found.choose or (found.low, found.high):
            recipe.override({key: value})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model.dropuot: {from: 0.1, to: 0.2}", "unknown setting 'model.dropuot'.*model.dropout"),
        ("model.dropout: {from: 0.3, to: 0.2}", "'from' below 'to'"),
        ("model.dropout: {choose: [0.1], to: 0.2}", "or 'choose'"),
        ("model.dropout: {from: 0.0, to: 0.2, log: true}", "'log' needs ends above 0"),
        ("", "has no settings"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_space_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_space(path)


def test_without_optuna_one_line_says_how_to_get_it(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-ts\[hpo\]"'):
        run_search(job(tiny_data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
