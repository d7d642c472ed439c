"""Experiments on faults, single sensors and settings: they run, and tell what they tested."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_experiment import FAST, tiny_job

from maestro_ts.evaluation.protocol import NOISE, TIMES, Condition
from maestro_ts.experiments import cell, cell_costs, cost_job
from maestro_ts.experiments.catalogue import EXPERIMENTS
from maestro_ts.experiments.catalogue.prior_mask import trusted_sensors
from maestro_ts.experiments.catalogue.spoilt_sensors import CHEST, WRIST, spoilt_sensors
from maestro_ts.experiments.cell import Cell
from maestro_ts.experiments.cell_file import read_cell
from maestro_ts.experiments.entrants import recipe_of
from maestro_ts.experiments.experiment_job import plan, run_experiment
from maestro_ts.experiments.pass_memory import PassMemory
from maestro_ts.experiments.progress import Progress
from maestro_ts.recipe import Recipe
from maestro_ts.signals.datasets import card
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.modality import Modality, Schema

COMMITTED = sorted(Path(__file__).parents[2].glob("docs/results/missingness/*/*-fold*.json"))
FAULTS = ("noise", "irregularity", "partial")
ENTRANTS = {
    "noise": ("maestro", "maestro-plain"),
    "irregularity": ("maestro", "majority"),
    "partial": ("maestro",),
    "unimodal": ("maestro", "maestro-each"),
    "prior-mask": ("maestro", "maestro-trusted"),
    "experts": ("maestro", "experts-4-top-2", "experts-4-head"),
    "word-length": ("maestro", "paper-word-8"),
    "density": ("maestro", "few-queries", "dense-attention"),
    "cost": ("maestro", "majority"),
}


@pytest.fixture
def quick_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs without a process of its own for the memory, and in short rounds."""

    def none_told(folder: Path, sizes: Any, threads: int, rates: Any) -> PassMemory:
        assert (folder / "model.safetensors").exists()
        return PassMemory(None, [None] * len(sizes))

    monkeypatch.setattr(cell_costs, "pass_memory", none_told)
    monkeypatch.setattr(cost_job, "ROUND_S", 1e-4)


@pytest.mark.parametrize("name", ENTRANTS)
def test_each_runs_on_a_small_budget(name, tiny_data, tmp_path, quick_costs) -> None:
    settings = {k: v for k, v in FAST.items() if k != "symbols.tokens"} | {"training.epochs": 1}
    job = tiny_job(name, tiny_data, tmp_path, models=ENTRANTS[name], budget="quick", folds=None)
    summary, failed = run_experiment(replace(job, settings=settings))
    assert not failed
    assert [e["name"] for e in summary["entrants"]] == list(ENTRANTS[name])
    rows = summary["entrants"][0]["conditions"]
    assert (rows[0]["mode"], rows[0]["rate"]) == ("modality", 0.0)
    assert len(rows) <= 6
    text = (tmp_path / "watch" / "table.md").read_text()
    assert ("under each fault" in text) == (name in FAULTS)
    assert ("Score and cost" in text) == EXPERIMENTS[name].costs
    assert (tmp_path / "watch" / "report.html").stat().st_size > 10_000
    assert len(list((tmp_path / "watch").glob("*-fold0-seed0-*.json"))) == len(ENTRANTS[name])


@pytest.mark.parametrize("name", ENTRANTS)
def test_every_entrant_has_a_recipe_and_the_first_condition_is_complete(name) -> None:
    found = EXPERIMENTS[name]
    recipes = [recipe_of(n, found.own, "default", {})[1] for n in found.entrants]
    told = [r.model_dump(exclude={"name"}) for r in recipes]
    groups = [found.own[n].groups if n in found.own else None for n in found.entrants]
    for i, (recipe, group) in enumerate(zip(told, groups, strict=True)):
        assert not any(recipe == r and group == g for r, g in zip(told[:i], groups, strict=False))
    for schema in (card("wesad").schema, card("utd-mhad").schema, Schema([Modality("x")])):
        full, quick = found.plan(schema, False), found.plan(schema, True)
        assert full[0] == quick[0] == Condition("modality", 0.0)
        assert set(quick) <= set(full)
        assert len(set(full)) == len(full)
        if found.costs:
            assert {c.mode for c in full} == {"modality"}


def test_a_fault_is_told_in_table_and_page(tiny_data, tmp_path) -> None:
    job = tiny_job("noise", tiny_data, tmp_path, folds=(0,))
    summary, _ = run_experiment(job)
    text = (tmp_path / "watch" / "table.md").read_text()
    row = next(r for r in summary["entrants"][0]["conditions"] if r["mode"] == "spikes")
    assert row["sensors"] == ["acc"]
    assert row["amount"] == 0.5
    for said in ("acc missing", "acc replaced by noise", "acc: noise of 2 deviations"):
        assert f"| {said} |" in text
    assert "acc: noise of 0.5 deviations and spikes" in (tmp_path / "watch/report.html").read_text()
    told = [c for c in summary["differences"][0]["conditions"] if c["mode"] == "noise"]
    assert [c["amount"] for c in told] == [0.5, 1.0, 2.0]


def test_noise_is_measured_in_the_training_windows_of_the_fold(tiny_data, tmp_path) -> None:
    job = tiny_job("noise", tiny_data, tmp_path, models=("maestro",))
    run_experiment(job)
    planned = plan(job, Progress())
    task, split = planned.tasks["maestro"][1][1], planned.splits[1]
    from maestro_ts.estimator import MaestroClassifier

    windows = planned.loaded.windows
    clf = MaestroClassifier(recipe=task.cell.recipe, random_state=0, n_threads=1)
    clf.fit(windows[split.train])
    levels, found = Levels.of(windows[split.train]), read_cell(task.path)
    for i, condition in enumerate(task.cell.conditions):
        seen = clf.explain(condition.seen(windows[split.test], levels))
        assert found.probabilities(i) == pytest.approx(seen.probabilities, abs=1 / 65535)


def test_the_papers_sensors_are_spoilt_where_they_are() -> None:
    assert spoilt_sensors(card("wesad").schema) == [CHEST, WRIST]
    assert spoilt_sensors(card("wesad-e4").schema) == [WRIST]
    assert spoilt_sensors(card("utd-mhad").schema) == [("skeleton",)]
    assert spoilt_sensors(Schema([Modality("b", device="d"), Modality("a", device="d")])) == [
        ("a",)
    ]
    assert spoilt_sensors(Schema([Modality("x")])) == [("x",)]


def test_accelerations_are_trusted_where_there_are_others() -> None:
    assert trusted_sensors(card("dalia-har").schema) == ("chest_acc", "wrist_acc")
    assert trusted_sensors(card("utd-mhad").schema) == ("acc",)
    assert trusted_sensors(card("dsads").schema) == ("left_arm",)
    assert trusted_sensors(Schema([Modality("a_acc"), Modality("b_acc")])) == ("a_acc",)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: p.name)
def test_cells_that_were_computed_before_keep_their_names(path, monkeypatch) -> None:
    tree = json.loads(path.read_text())
    by = tree["determined_by"]
    monkeypatch.setattr(cell, "__version__", by["version"])
    again = Cell(
        dataset=by["dataset"],
        windows=by["windows"],
        data=by["data"],
        entrant=tree["entrant"],
        recipe=Recipe(**by["recipe"]),
        kind=by["split"]["kind"],
        split=by["split"]["text"],
        fold=by["split"]["fold"],
        of=by["split"]["of"],
        seed=by["seed"],
        conditions=tuple(
            Condition(**c | {"pattern": tuple(c["pattern"])}) for c in by["conditions"]
        ),
    )
    assert again.path(path.parents[1]) == path
    assert again.determined_by() == by


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": (Condition("noise", sensors=("acc",), amount=0.5),)},
        {"conditions": (Condition("noise", sensors=("gyro",), amount=0.5),)},
        {"conditions": (Condition("noise", sensors=("acc",), amount=1.0),)},
        {"groups": (("acc",), ("gyro",))},
        {"groups": (("acc", "gyro"),)},
        {"costs": True},
    ],
)
def test_what_is_tested_and_trained_is_in_the_hash(changes, tiny_data, tmp_path) -> None:
    first = plan(tiny_job("full-modality", tiny_data, tmp_path), Progress()).in_order[0].cell
    others = [replace(first, **changes).hash, first.hash]
    others.append(replace(first, conditions=(Condition("noise", sensors=("acc",)),)).hash)
    assert len(set(others)) == 3


def test_every_fault_has_words() -> None:
    from maestro_ts.report.fault_wording import FAULTS as WORDS

    assert set(WORDS) == {*NOISE, *TIMES, "absent", "first", "last"}
    rows = [{"rate": 0.25, "sensors": ["a", "b"], "amount": 0.125, "mode": m} for m in WORDS]
    from maestro_ts.report.wording import condition_label

    told = [condition_label(row, 3) for row in rows]
    assert len(set(told)) == len(told)
    assert np.all(["everything" not in text for text in told])
