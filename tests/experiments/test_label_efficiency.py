"""Few labelled subjects: who is drawn, what is shared, what a cell says of it, table and figure."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_experiment import FAST, tiny_job

from maestro_ts.errors import ConfigError, DataError, MaestroError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.experiments import cell_work
from maestro_ts.experiments.catalogue import EXPERIMENTS
from maestro_ts.experiments.cell_file import read_cell
from maestro_ts.experiments.experiment_job import Planned, plan, run_experiment, verify_experiment
from maestro_ts.experiments.labelled import labelled_subjects
from maestro_ts.experiments.pretrained_cell import pretrained_cell
from maestro_ts.experiments.progress import Progress
from maestro_ts.report.label_efficiency import label_tables, labels_figure
from maestro_ts.training.run import Run

ENTRANTS = (
    "maestro-pretrained-1",
    "maestro-1",
    "maestro-pretrained-2",
    "maestro-2",
    "maestro-pretrained-all",
    "maestro-all",
)


def job(data: Path, out: Path, **changes: Any) -> Any:
    settings = FAST | {"model.linear_member": True}  # as `default` has it
    asked = {"models": ENTRANTS, "settings": settings} | changes
    return tiny_job("label-efficiency", data, out, **asked)


@pytest.fixture(scope="module")
def done(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Planned, Any]:
    """Six entrants, two folds, one seed."""
    asked = job(tiny_data, tmp_path_factory.mktemp("few"))
    summary, failed = run_experiment(asked)
    assert not failed
    return asked, plan(asked, Progress()), summary


def test_draws_are_nested_and_of_the_generator_alone(done) -> None:
    _, planned, _ = done
    windows, train = planned.loaded.windows, planned.splits[0].train
    drawn = [
        [labelled_subjects(windows, train, n, np.random.default_rng(s)) for n in (1, 2, 4)]
        for s in range(8)
    ]
    for few in drawn:
        assert few[0] == few[1][:1]
        assert few[1] == few[2][:2]
        assert [len(set(x)) for x in few] == [1, 2, 4]
        assert set(few[2]) <= set(windows.subjects[train])
    assert len({few[0] for few in drawn}) > 1


def test_too_few_subjects_and_a_single_class_are_refused(done) -> None:
    _, planned, _ = done
    windows, train = planned.loaded.windows, planned.splits[0].train
    with pytest.raises(ConfigError, match="5 subjects with labels"):
        labelled_subjects(windows, train[:12], 5, np.random.default_rng(0))
    same = windows.replace(labels=np.full(len(windows), "PEN"))
    with pytest.raises(DataError, match="one class"):
        labelled_subjects(same, train, 2, np.random.default_rng(0))


def test_all_entrants_learn_from_the_subjects_that_their_cells_state(done) -> None:
    _, planned, _ = done
    windows = planned.loaded.windows
    for k, split in enumerate(planned.splits):
        for count in (1, 2, None):
            pair = [
                planned.tasks[f"{family}-{count or 'all'}"][1][k]
                for family in ("maestro", "maestro-pretrained")
            ]
            trees = [read_cell(t.path).tree for t in pair]
            stated = [t["determined_by"].get("train_subjects") for t in trees]
            assert stated[0] == stated[1]
            learned = windows.subjects[split.train]
            known = np.unique(learned) if count is None else stated[0]
            assert trees[0]["n_train"] == trees[1]["n_train"] == np.isin(learned, known).sum()
            assert ("pretraining" in trees[0]["determined_by"]) is False
            recipe = trees[1]["determined_by"]["pretraining"]
            assert recipe["curriculum"]["segment_probability"] == 0.7


def test_a_pre_training_is_made_once_per_fold_of_its_training_subjects(done) -> None:
    asked, planned, _ = done
    folders = sorted(p for p in (asked.out / "watch").glob("pretrained-*") if p.is_dir())
    starts = {
        t.start.path for name in ENTRANTS for t in planned.tasks[name][1] if "pretrained" in name
    }
    assert folders == sorted(starts)
    assert len(folders) == 2
    assert not any(t.start for t in planned.tasks["maestro-1"][1])
    windows = planned.loaded.windows
    for task, split in zip(planned.tasks["maestro-pretrained-1"][1], planned.splits, strict=True):
        seen = Run(task.start.path).load_model(pretrained=True).extra["subjects_pretrained"]
        assert set(seen["watch"]) == set(windows.subjects[split.train])
        assert not set(seen["watch"]) & set(windows.subjects[split.test])


def test_a_cell_starts_from_its_pre_training(done) -> None:
    _, planned, _ = done
    task = planned.tasks["maestro-pretrained-2"][1][0]
    windows, split = planned.loaded.windows, planned.splits[0]
    train = windows[split.train]
    few = train[np.flatnonzero(np.isin(train.subjects, task.cell.train_subjects))]
    clf = MaestroClassifier(
        recipe=task.cell.recipe, random_state=0, n_threads=1, init=task.start.path
    ).fit(few)
    found = read_cell(task.path)
    assert found.tree["made"]["started_from"] == task.start.path.name
    seen = clf.predict(windows[split.test]).tolist()
    assert [found.classes[i] for i in found.predicted(0)] == seen
    alone = read_cell(planned.tasks["maestro-2"][1][0].path)
    assert not np.array_equal(found.probabilities(0), alone.probabilities(0))


def test_what_is_not_learned_from_is_not_in_the_hash_of_a_pre_training(done) -> None:
    _, planned, _ = done
    cell = planned.tasks["maestro-pretrained-1"][1][0].cell
    first = pretrained_cell(cell)
    assert first is not None
    for same in ({"train_subjects": ("s9",)}, {"conditions": cell.conditions[:1]}):
        assert pretrained_cell(replace(cell, **same)).hash == first.hash
        assert replace(cell, **same).hash != cell.hash
    longer = cell.pretraining.override({"training.epochs": 9})
    for other in ({"seed": 1}, {"fold": 1}, {"data": "0" * 16}, {"pretraining": longer}):
        assert pretrained_cell(replace(cell, **other)).hash != first.hash
        assert replace(cell, **other).hash != cell.hash
    assert replace(cell, pretraining=None).hash != cell.hash


def test_a_cell_is_the_same_again_after_its_pre_training_was_deleted(done, tiny_data) -> None:
    asked, planned, _ = done
    kept = planned.tasks["maestro-pretrained-1"][1][0].start.path
    shutil.rmtree(kept)
    assert verify_experiment(replace(asked, models=ENTRANTS[:1], folds=(0,))).same
    assert Run(kept).finished


def test_cells_whose_pre_training_failed_say_why(tiny_data, tmp_path, monkeypatch) -> None:
    tried = []

    def broken(path: Path, cell: Any, train: Any) -> None:
        tried.append(path)
        raise MaestroError("no luck today.")

    monkeypatch.setattr(cell_work, "write_pretrained", broken)
    models = ("maestro-1", "maestro-pretrained-1", "maestro-pretrained-2")
    summary, failed = run_experiment(job(tiny_data, tmp_path, models=models, folds=(0,)))
    assert [d.task.cell.entrant for d in failed] == list(models[1:])
    assert all("pre-training: no luck today" in d.failure for d in failed)
    assert len(tried) == 1
    assert [e["name"] for e in summary["entrants"]] == ["maestro-1"]


def test_scores_are_means_with_their_spread_over_cells(done) -> None:
    _, planned, summary = done
    alone = next(f for f in summary["by_labels"] if f["title"] == "MAESTRO")
    assert [p["labelled"] for p in alone["points"]] == [1, 2, None]
    cells = [read_cell(t.path) for t in planned.tasks["maestro-2"][1]]
    for i, row in enumerate(alone["points"][1]["rates"]):
        f1 = [macro_f1(c.truth, c.predicted(i)) for c in cells]
        loss = []
        for c in cells:
            right = c.probabilities(i)[np.arange(len(c.truth)), c.truth]
            loss.append(-np.log(np.maximum(right, 0.5 / 65535)).mean())
        assert row["rate"] == (0.0, 0.4)[i]
        assert row["macro_f1_mean"] == pytest.approx(np.mean(f1))
        assert row["macro_f1_deviation"] == pytest.approx(np.std(f1, ddof=1))
        assert row["log_loss_mean"] == pytest.approx(np.mean(loss))
        assert row["log_loss_deviation"] == pytest.approx(np.std(loss, ddof=1))


def test_differences_are_told_at_the_same_number_of_labels(done) -> None:
    _, _, summary = done
    told = [(d["a"], d["b"]) for d in summary["differences"]]
    counts = ("1", "2", "all")
    assert told == [(f"maestro-pretrained-{n}", f"maestro-{n}") for n in counts]
    score = {e["name"]: e["conditions"][1]["macro_f1"] for e in summary["entrants"]}
    for gap in summary["differences"]:
        point = gap["conditions"][1]["macro_f1"][0]
        assert point == pytest.approx(score[gap["a"]] - score[gap["b"]])


def test_table_figure_and_page_show_every_number_of_labels(done) -> None:
    asked, _, summary = done
    table, losses = label_tables(summary)
    assert table.head[1:] == ["1", "2", "all (4–5)"]
    assert [row[0] for row in table.rows] == [
        f"{who}, {what}"
        for who in ("MAESTRO pre-trained", "MAESTRO")
        for what in ("nothing missing", "40 % missing")
    ]
    assert all("±" in cell for row in (*table.rows, *losses.rows) for cell in row[1:])
    figure = labels_figure(summary)
    shown = [t for t in figure.data if t.visible]
    assert [round(float(np.mean(t.x)), 1) for t in shown] == pytest.approx([1, 1, 1, 1], abs=0.2)
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "all"]
    first = summary["by_labels"][0]["points"]
    assert list(shown[0].y) == [p["rates"][0]["macro_f1_mean"] for p in first]
    assert list(shown[0].error_y.array) == [p["rates"][0]["macro_f1_deviation"] for p in first]
    page = (asked.out / "watch" / "report.html").read_text()
    assert "Against the number of labelled subjects" in page
    assert 'data-figure="by-labels"' in page
    assert 'data-figure="modality-curve"' not in page
    assert json.loads((asked.out / "watch" / "summary.json").read_text())["by_labels"]


def test_it_runs_on_a_small_budget_with_the_entrants_of_its_own(tiny_data, tmp_path) -> None:
    found = EXPERIMENTS["label-efficiency"]
    assert [n for n in found.entrants if n.endswith("-4")] == [
        "maestro-pretrained-4",
        "maestro-4",
        "lightgbm-4",
    ]
    models = ("maestro-1", "lightgbm-1")
    pytest.importorskip("lightgbm")
    asked = job(tiny_data, tmp_path, models=models, budget="quick", folds=None)
    summary, failed = run_experiment(asked)
    assert not failed
    assert summary["folds"] == [0]
    assert summary["by_labels"][0]["points"][0]["rates"][0]["macro_f1_deviation"] is None
    text = (tmp_path / "watch" / "table.md").read_text()
    assert "Macro-F1, mean ± deviation over one cell" in text
