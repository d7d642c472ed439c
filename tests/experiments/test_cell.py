"""What names a cell, and that its file gives back what was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.errors import RunError
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Condition, evaluate
from maestro_ts.experiments.cell import Cell, fingerprint
from maestro_ts.experiments.cell_file import read_cell, write_cell
from maestro_ts.experiments.compact import packed, packed_shares, shares, unpacked
from maestro_ts.recipe import load_recipe
from maestro_ts.testing.windows_generator import many_rates, random_windows

CELL = Cell(
    dataset="watch",
    windows={"duration_s": 4.0, "step_s": 2.0},
    data="0123456789abcdef",
    entrant="maestro",
    recipe=load_recipe("tiny"),
    kind="folds",
    split="five folds",
    fold=0,
    of=5,
    seed=0,
    conditions=(Condition("modality", 0.0), Condition("modality", 0.4)),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": {"duration_s": 5.0, "step_s": 2.0}},
        {"data": "0" * 16},
        {"recipe": load_recipe("tiny").override({"model.width": 32})},
        {"split": "four folds"},
        {"fold": 1},
        {"seed": 1},
        {"conditions": (Condition("modality", 0.0),)},
        {"conditions": (Condition("modality", 0.0), Condition("modality", 0.4, seed=1))},
        {"train_subjects": ("s1",)},
    ],
)
def test_what_determines_the_numbers_is_in_the_hash(changes) -> None:
    assert replace(CELL, **changes).hash != CELL.hash


def test_a_name_determines_nothing() -> None:
    named = CELL.recipe.override({"name": "another"})
    assert replace(CELL, entrant="ours", recipe=named).hash == CELL.hash
    assert replace(CELL, entrant="ours").path(Path("out")) != CELL.path(Path("out"))


def test_a_setting_that_came_later_determines_something_only_where_it_is_on() -> None:
    assert "ranking_weight" not in CELL.determined_by()["recipe"]["training"]
    on = replace(CELL, recipe=CELL.recipe.override({"training.ranking_weight": 0.5}))
    assert on.determined_by()["recipe"]["training"]["ranking_weight"] == 0.5
    assert on.hash != CELL.hash


def test_the_fingerprint_is_of_every_sample_label_and_person() -> None:
    def windows():
        return random_windows(many_rates(6), 6, seed=0)

    first = windows()
    name = first.schema.names[-1]
    changed = windows()
    values = changed.samples[name].values
    values[np.argwhere(~np.isnan(values[:, 0]))[-1, 0], 0] += 1e-3
    assert fingerprint(windows()) == fingerprint(first)
    assert fingerprint(changed) != fingerprint(first)
    other = windows()
    other.subjects = np.array([f"{s}x" for s in other.subjects])
    assert fingerprint(other) != fingerprint(first)
    assert fingerprint(first[np.arange(5)]) != fingerprint(first)


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u8", "<i8"])
def test_arrays_come_back(dtype) -> None:
    values = np.random.default_rng(0).integers(0, 200, (4, 5)).astype(dtype)
    assert (unpacked(packed(values)) == values).all()
    empty = np.zeros((0, 3), dtype)
    assert unpacked(packed(empty)).shape == (0, 3)


def test_shares_come_back_within_half_a_step() -> None:
    values = np.r_[0.0, 1.0, np.random.default_rng(0).random(50)]
    found = shares(packed_shares(values))
    assert np.abs(found - values).max() <= 0.5 / 65535 + 1e-12
    assert found[:2].tolist() == [0.0, 1.0]


def written(path: Path, predict: Callable) -> list:
    windows = random_windows(many_rates(6), 8, seed=1)
    outcomes = evaluate(predict, windows, np.arange(8) % 3, CELL.conditions)
    write_cell(path, CELL, outcomes, ["a", "b", "c"], 20, {"code": "x"})
    return outcomes


def test_the_file_gives_back_truth_people_and_exact_classes(tmp_path) -> None:
    rng = np.random.default_rng(2)
    outcomes = written(tmp_path / "cell.json", lambda w: Prediction(rng.normal(size=(len(w), 3))))
    found = read_cell(tmp_path / "cell.json")
    assert found.truth.tolist() == outcomes[0].truth.tolist()
    assert found.subjects.tolist() == outcomes[0].subjects.tolist()
    assert found.complete.tolist() == outcomes[0].complete.tolist()
    assert (unpacked(found.tree["ids"]) == outcomes[0].ids).all()
    for i, outcome in enumerate(outcomes):
        assert found.predicted(i).tolist() == outcome.predicted.tolist()
        assert found.conditions[i]["realised"] == pytest.approx(outcome.realised, abs=1e-6)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99}'])
def test_what_is_no_cell_is_refused_by_name(text, tmp_path) -> None:
    (tmp_path / "cell.json").write_text(text)
    with pytest.raises(RunError, match=r"cell\.json"):
        read_cell(tmp_path / "cell.json")


def test_what_a_model_never_reads_determines_nothing() -> None:
    rival = replace(CELL, recipe=CELL.recipe.override({"model_kind": "majority"}))

    def changed(key: str, value: object) -> str:
        return replace(rival, recipe=rival.recipe.override({key: value})).hash

    assert changed("model.width", 32) == changed("symbols.tokens", 16) == rival.hash
    assert changed("curriculum.modality_max", 0.2) != rival.hash
    assert changed("model_kind", "logistic") != rival.hash
