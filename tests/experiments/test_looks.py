"""Experiments that look inside: models are fitted once and kept, and the numbers are theirs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_experiment import FAST, tiny_job

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.experiments import fitted_run, look_job
from maestro_ts.experiments.catalogue.attention_map import attention_between
from maestro_ts.experiments.catalogue.latents import neighbour_scores
from maestro_ts.experiments.cell_work import Done, Task
from maestro_ts.experiments.experiment_job import plan
from maestro_ts.experiments.look_job import run_look
from maestro_ts.experiments.progress import Progress
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.model.trace import trace
from maestro_ts.report.blocks import Section
from maestro_ts.signals.masks import hide, modality_mask, pattern_mask
from maestro_ts.symbols.alphabet import MISSING

NAMES = ("attention-map", "latents", "symbols", "routing")
Looked = dict[str, tuple[dict[str, Any], list[Section]]]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inside")


@pytest.fixture(scope="module")
def looked(tiny_data: Path, out: Path) -> Looked:
    """Summary and sections of each, over two folds."""
    found = {}
    for name in NAMES:
        summary, sections, failed = run_look(tiny_job(name, tiny_data, out, models=()))
        assert not failed
        found[name] = summary, sections
    return found


def loaded(out: Path, looked: Looked, name: str, run: int = 0) -> MaestroClassifier:
    return MaestroClassifier.load(out / "watch" / looked[name][0]["runs"][run]["run"])


def test_models_are_fitted_once_and_shared(looked, out, tiny_data, monkeypatch) -> None:
    runs = {name: [r.get("run") for r in looked[name][0]["runs"]] for name in NAMES}
    assert runs["attention-map"] == runs["latents"] != runs["routing"]
    assert runs["symbols"] == [None, None]
    folders = {path.name for path in (out / "watch").iterdir() if path.is_dir()}
    assert folders == {*runs["attention-map"], *runs["routing"]}

    def fail(task: Task) -> Done:
        raise AssertionError("fitted again")

    monkeypatch.setattr(look_job, "fit_run", fail)
    again, _, failed = run_look(tiny_job("latents", tiny_data, out, models=()))
    assert not failed
    assert again["found"] == looked["latents"][0]["found"]


def test_a_deleted_model_is_fitted_again_to_the_same_numbers(looked, out, tiny_data) -> None:
    shutil.rmtree(out / "watch" / looked["attention-map"][0]["runs"][1]["run"])
    again, _, _ = run_look(tiny_job("attention-map", tiny_data, out, models=()))
    assert again["found"] == looked["attention-map"][0]["found"]


def test_a_model_is_that_of_the_cell_with_everything_present(looked, out, tiny_data) -> None:
    job = tiny_job("full-modality", tiny_data, out, models=("maestro",))
    (cells,) = [tasks for _, tasks in plan(job, Progress()).tasks.values()]
    runs = [r["run"] for r in looked["latents"][0]["runs"]]
    assert [task.path.stem for task in cells] == runs


@pytest.mark.parametrize("name", NAMES)
def test_numbers_tables_and_page_are_written(name: str, looked, out) -> None:
    stem = out / "watch" / name
    summary = looked[name][0]
    assert json.loads(stem.with_suffix(".json").read_text())["found"] == summary["found"]
    page = stem.with_suffix(".html").read_text()
    assert "src=" not in page.split("<script>")[0]
    for section in looked[name][1]:
        assert f'id="{section.key}"' in page
        for table in section.tables:
            assert all(len(row) == len(table.head) for row in table.rows)
            assert f"## {table.title}" in stem.with_suffix(".md").read_text()


def test_attention_of_a_kind_adds_up_and_the_strongest_costs_most(looked) -> None:
    found = looked["attention-map"][0]["found"]
    assert found["kinds"] == ["acc", "gyro"]
    for one in found["maps"]:
        for layer in one["layers"]:
            assert np.sum(layer, axis=1) == pytest.approx(1.0, abs=1e-5)
    lost = {name: found["accuracy"][f"without {name}"] for name in found["kinds"]}
    assert found["strongest"] == min(lost, key=lambda name: lost[name])
    whole, without = found["maps"]
    assert (whole["absent"], without["absent"]) == (None, found["strongest"])
    place = found["kinds"].index(found["strongest"])
    assert without["even"][place] < whole["even"][place]  # one missing token instead of many


def test_attention_between_kinds_is_that_between_tokens_added_up(looked, out, tiny_data) -> None:
    (network,) = members_of(loaded(out, looked, "attention-map").network_.eval(), Maestro)
    task = plan(tiny_job("attention-map", tiny_data, out, models=()), Progress()).in_order[0]
    seen = fitted_run.opened(fitted_run.as_run(task), trained=True)
    batch = seen.front_end(hide(seen.test, modality_mask(seen.test, 0.4)))
    mass, tokens = attention_between(network, batch)
    (layer,) = trace(network, batch)
    with torch.no_grad():
        each = layer.attention.mass(layer.tokens, layer.spans, torch.eye(len(layer.tokens)))
    each = each.mean(dim=1).numpy()
    for a in range(3):
        mine = layer.sources.numpy() == a
        assert tokens[0, a] == mine.sum()
        for b in range(3):
            theirs = layer.sources.numpy() == b
            assert mass[0, a, b] == pytest.approx(each[np.ix_(mine, theirs)].sum(), abs=1e-4)


def test_accuracy_without_a_sensor_is_that_of_the_estimator(looked, out, tiny_data) -> None:
    found = looked["attention-map"][0]["found"]
    right = []
    tasks = plan(tiny_job("attention-map", tiny_data, out, models=()), Progress()).in_order
    for i, task in enumerate(tasks):
        test = fitted_run.opened(fitted_run.as_run(task), trained=True).test
        clf = loaded(out, looked, "attention-map", i)
        predicted = clf.predict(hide(test, pattern_mask(test, ["gyro"])))
        right.append(np.mean(predicted == np.asarray(test.labels).astype(str)))
    assert found["accuracy"]["without acc"] == pytest.approx(np.mean(right))


def test_shares_of_experts_are_those_of_the_output(looked, out, tiny_data) -> None:
    """Complete input: shares by pattern are the mean of what `explain` says, weighted by tokens."""
    found = looked["routing"][0]["found"]
    task = plan(tiny_job("routing", tiny_data, out, models=()), Progress()).in_order[0]
    test = fitted_run.opened(fitted_run.as_run(task), trained=True).test
    told = loaded(out, looked, "routing").explain(test)
    share = np.average(told.expert_share[:, 0], axis=0, weights=told.tokens)
    assert found["patterns"][0] == ["acc", "gyro"]
    assert found["models"][0]["layers"][0]["by_pattern"][0] == pytest.approx(share, abs=1e-5)
    assert len(share) == 8


def test_routing_tells_of_every_pattern_and_of_missing_tokens(looked) -> None:
    found = looked["routing"][0]["found"]
    assert found["kinds"] == ["acc", "gyro", "missing tokens", "duration"]
    layer = found["models"][1]["layers"][0]
    assert [row is None for row in layer["by_kind"]] == [False, False, False, True]
    assert len(layer["by_pattern"]) == 3
    pairs = [row["pair"] for row in found["information"]]
    assert pairs == ["pattern", "pattern within a modality", "modality"]
    assert all(0 <= row["value"] <= 1 for row in found["information"])


def test_latents_are_the_estimators_and_neighbours_of_the_complete_are_kept(looked) -> None:
    found = looked["latents"][0]["found"]
    whole, *missing = found["rates"]
    assert whole["neighbours_kept"] == 1.0
    assert all(row["neighbours_kept"] < 1.0 for row in missing)
    points = np.array(found["map"]["points"])
    assert points.shape == (3, len(found["map"]["labels"]), 2)
    assert points[0].mean(axis=0) == pytest.approx(0.0, abs=1e-3)  # axes of the complete windows


def test_neighbours_are_never_the_window_itself() -> None:
    whole = np.array([[0.0], [0.1], [5.0], [5.1], [5.3]], dtype=np.float32)
    labels = np.array(["a", "a", "b", "b", "b"])
    assert neighbour_scores(whole, whole, labels, k=1) == {
        "class_agreement": 1.0,
        "neighbours_kept": 1.0,
    }
    moved = whole[::-1].copy()
    found = neighbour_scores(whole, moved, labels, k=1)
    assert found["class_agreement"] == pytest.approx(1 / 5)  # the middle one alone stays
    twins = np.zeros((4, 1), dtype=np.float32)  # equal places: itself need not come first
    assert neighbour_scores(twins, twins, labels[:4], k=3)["neighbours_kept"] == 1.0


def test_symbols_show_every_class_with_a_part_hidden(looked) -> None:
    found = looked["symbols"][0]["found"]
    assert [one["label"] for one in found["examples"]] == ["IR", "PEN", "ROW"]
    assert found["lacking"] == []
    for one in found["examples"]:
        bins = len(one["edges_s"]) - 1
        assert bins == FAST["symbols.tokens"]
        for view, symbols in one["views"].items():
            gone = [s == MISSING for s in symbols]
            assert gone == [m is None for m in one["means"]]
            assert sum(gone) == bins // 4
            # What is normalised over the training windows does not depend on what is hidden.
            assert one["changed"][view] == 0.0 or view == "shape"
    figure = looked["symbols"][1][0].blocks[0].figure
    assert [t.name for t in figure.data if t.name == "mean of the bin"]


def test_other_models_and_several_are_refused(tiny_data, tmp_path) -> None:
    for models, said in (
        (("maestro", "maestro-plain"), "looks into one model"),
        (("lightgbm",), "looks into MAESTRO, not into lightgbm"),
    ):
        with pytest.raises(ConfigError, match=said):
            run_look(tiny_job("attention-map", tiny_data, tmp_path, models=models, folds=(0,)))
    for name, change, said in (
        ("routing", {"experts.placement": "none"}, "no experts in its fusion"),
        ("attention-map", {"model.fusion_layers": 0}, "has no fusion"),
    ):
        settings = {**FAST, **change}
        with pytest.raises(ConfigError, match=said):
            run_look(tiny_job(name, tiny_data, tmp_path, models=(), settings=settings))
    assert not [path for path in tmp_path.rglob("*") if path.is_dir()]


def test_without_a_single_model_there_is_nothing_to_see(tiny_data, tmp_path, monkeypatch) -> None:
    def fail(task: Task) -> MaestroClassifier:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(fitted_run, "_divided", fail)
    with pytest.raises(RunError, match=r"no model was fitted; maestro, fold 0.*out of luck"):
        run_look(tiny_job("latents", tiny_data, tmp_path, models=(), folds=(0,)))
    assert torch.get_num_threads() == 1
