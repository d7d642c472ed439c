"""Experiments end to end on tiny data: cells, resumption, failures, statistics, files."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray_stand_in import Ray
from tiny_experiment import FAST, tiny_job

from maestro_ts.errors import ConfigError, MaestroError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.evaluation.resampled_scores import SubjectDraws
from maestro_ts.experiments import cell_runner, cell_work
from maestro_ts.experiments.across import across
from maestro_ts.experiments.catalogue import EXPERIMENTS
from maestro_ts.experiments.catalogue.headline import ratios
from maestro_ts.experiments.cell_file import read_cell
from maestro_ts.experiments.experiment_job import plan, run_experiment, verify_experiment
from maestro_ts.experiments.pooled import DRAWS
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.masks import hide

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference.slow_statistics import paired_gaps


@pytest.fixture(scope="module")
def done(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Missingness of two entrants, two folds, two seeds."""
    out = tmp_path_factory.mktemp("out")
    summary, failed = run_experiment(tiny_job("missingness", tiny_data, out, seeds=(0, 1)))
    assert not failed
    return out, summary


def cells(job: Any, name: str) -> list[Any]:
    return [read_cell(t.path) for t in plan(job, Progress()).tasks[name][1]]


def test_a_cell_has_the_predictions_of_the_fitted_model(done, tiny_data) -> None:
    out, _ = done
    job = tiny_job("missingness", tiny_data, out, seeds=(0, 1))
    planned = plan(job, Progress())
    task = planned.tasks["maestro"][1][1]
    found = read_cell(task.path)
    windows, split = planned.loaded.windows, planned.splits[1]
    clf = MaestroClassifier(recipe=task.cell.recipe, random_state=0, n_threads=1)
    clf.fit(windows[split.train])
    test = windows[split.test]
    for i, condition in enumerate(task.cell.conditions):
        seen = clf.explain(hide(test, condition.mask(test)))
        assert (found.predicted(i) == seen.logits.argmax(axis=1)).all()
        assert found.probabilities(i) == pytest.approx(seen.probabilities, abs=1 / 65535)
    assert found.subjects.tolist() == test.subjects.tolist()
    assert [found.classes[k] for k in found.truth] == test.labels.tolist()


def test_scores_are_pooled_over_folds_and_averaged_over_seeds(done, tiny_data) -> None:
    out, summary = done
    job = tiny_job("missingness", tiny_data, out, seeds=(0, 1))
    four = cells(job, "maestro")
    truth = np.concatenate([c.truth for c in four[:2]])
    for i, row in enumerate(summary["entrants"][0]["conditions"]):
        seeds = [
            macro_f1(truth, np.concatenate([c.predicted(i) for c in pair]))
            for pair in (four[:2], four[2:])
        ]
        alone = [macro_f1(c.truth, c.predicted(i)) for c in four]
        assert row["macro_f1"] == pytest.approx(np.mean(seeds))
        assert row["macro_f1_mean"] == pytest.approx(np.mean(alone))
        assert row["macro_f1_deviation"] == pytest.approx(np.std(alone, ddof=1))


def test_differences_are_of_the_same_draws_of_subjects(done, tiny_data) -> None:
    out, summary = done
    job = tiny_job("missingness", tiny_data, out, seeds=(0, 1))
    both = [cells(job, name) for name in job.models]
    truth = np.concatenate([c.truth for c in both[0][:2]])
    subjects = np.concatenate([c.subjects for c in both[0][:2]])
    predicted = [
        [np.concatenate([c.predicted(4) for c in four[s : s + 2]]) for s in (0, 2)] for four in both
    ]
    draws = SubjectDraws(subjects, DRAWS, np.random.default_rng(0))
    few = np.r_[0, 1 : len(draws) : 40]
    gaps = paired_gaps(truth, *predicted, subjects, draws.counts[few])
    point, low, high = summary["differences"][0]["conditions"][4]["macro_f1"]
    assert point == pytest.approx(gaps[0])
    # Every fortieth draw: its quantiles lie about those of all.
    assert low <= np.quantile(gaps[1:], 0.2) <= np.quantile(gaps[1:], 0.8) <= high


def test_finished_cells_are_left_alone_and_give_the_same_summary(done, tiny_data, monkeypatch):
    out, summary = done
    monkeypatch.setattr(cell_work, "_compute", lambda task: pytest.fail("computed again"))
    again, failed = run_experiment(tiny_job("missingness", tiny_data, out, seeds=(0, 1)))
    assert not failed
    assert again["entrants"] == summary["entrants"]


def test_a_cell_can_be_restricted_to_some_training_subjects(done, tiny_data, tmp_path) -> None:
    out, _ = done
    planned = plan(tiny_job("full-modality", tiny_data, out), Progress())
    task, windows = planned.in_order[0], planned.loaded.windows
    learned = windows.subjects[planned.splits[0].train]
    few = replace(task.cell, train_subjects=tuple(map(str, np.unique(learned)[:2])))
    path = few.path(tmp_path)
    assert not cell_work.run_task(replace(task, cell=few, path=path)).failure
    assert read_cell(path).tree["n_train"] == np.isin(learned, few.train_subjects).sum() > 0
    nobody = replace(task, cell=replace(task.cell, train_subjects=("nobody",)), path=path)
    assert "none of the asked" in cell_work.run_task(nobody).failure


def test_a_process_that_died_is_one_clear_message(tiny_data, tmp_path, monkeypatch) -> None:
    class Dying:
        def run(self, work: Any, tasks: Any) -> Any:
            raise RunError("gone")

    monkeypatch.setattr(cell_runner, "engine_of", lambda name, jobs: Dying())
    with pytest.raises(RunError, match="fewer --jobs"):
        run_experiment(tiny_job("full-modality", tiny_data, tmp_path, jobs=2))


def test_verification_tells_the_same_from_others(done, tiny_data) -> None:
    out, _ = done
    job = tiny_job("missingness", tiny_data, out, seeds=(0, 1))
    assert verify_experiment(job).same
    tasks = plan(job, Progress()).in_order
    kept = {t.path: t.path.read_text() for t in tasks}
    for path, text in kept.items():
        tree = json.loads(text)
        tree["conditions"][0]["predicted"] = tree["truth"]
        path.write_text(json.dumps(tree))
    assert not verify_experiment(job).same
    for path, text in kept.items():
        path.write_text(text)


def test_everything_needed_to_repeat_a_cell_is_in_it(done, tiny_data) -> None:
    out, _ = done
    tree = cells(tiny_job("missingness", tiny_data, out, seeds=(0, 1)), "maestro")[3].tree
    known = tree["determined_by"]
    assert known["seed"] == 1
    assert known["split"]["fold"] == 1
    assert known["recipe"]["model"]["width"] == FAST["model.width"]
    assert known["conditions"][1] == {"mode": "modality", "rate": 0.1, "pattern": [], "seed": 0}
    assert set(tree["made"]) >= {"versions", "machine", "code", "parameters", "cpu_seconds"}


@pytest.mark.parametrize("name", ["full-modality", "subsets", "ablation", "headline"])
def test_every_experiment_runs_on_a_small_budget(name, tiny_data, tmp_path) -> None:
    entrants = EXPERIMENTS[name].entrants if name == "ablation" else ("maestro", "maestro-plain")
    job = tiny_job(name, tiny_data, tmp_path, models=entrants, budget="quick", folds=None)
    job = replace(job, settings=FAST | {"training.epochs": 1})
    summary, failed = run_experiment(job)
    assert not failed
    assert [e["name"] for e in summary["entrants"]] == list(entrants)
    assert summary["folds"] == [0]
    folder = tmp_path / "watch"
    usual = {"json": "summary", "md": "table", "tex": "table", "html": "report"}
    for ending, stem in usual.items():
        file = f"{name if name == 'headline' else stem}.{ending}"
        assert (folder / file).stat().st_size > 500
    assert len(list(folder.glob("*-fold0-seed0-*.json"))) == len(entrants)


def test_a_first_look_is_short_for_models_without_steps_too(tiny_data, tmp_path) -> None:
    models = ("maestro", "lightgbm-31", "multirocket-hydra")
    job = tiny_job(
        "missingness",
        tiny_data,
        tmp_path,
        models=models,
        settings={},
        budget="quick",
        folds=None,
    )
    recipes = {
        name: tasks[0].cell.recipe for name, (_, tasks) in plan(job, Progress()).tasks.items()
    }
    assert recipes["maestro"].training.max_steps == 150
    assert recipes["lightgbm-31"].rival["trees"] == 20
    assert recipes["multirocket-hydra"].rival["kernels"] == 300
    asked = replace(job, models=("lightgbm-31",), settings={"rival.trees": 7})
    (task,) = plan(asked, Progress()).tasks["lightgbm-31"][1]
    assert task.cell.recipe.rival["trees"] == 7


def test_cells_side_by_side_are_those_of_one_process(done, tiny_data, tmp_path) -> None:
    out, _ = done
    job = tiny_job("missingness", tiny_data, tmp_path, models=("maestro",), jobs=2)
    run_experiment(job)
    for task in plan(job, Progress()).in_order:
        same = out / "watch" / task.path.name
        assert read_cell(task.path).same_numbers(read_cell(same))


def test_cells_on_a_cluster_are_those_of_one_process(
    done, tiny_data, tmp_path, monkeypatch
) -> None:
    out, _ = done
    ray = Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.chdir(tmp_path)
    job = tiny_job(
        "missingness", tiny_data, Path("own"), models=("maestro",), engine="ray", jobs=None
    )
    run_experiment(job)
    for task in plan(job, Progress()).in_order:
        assert read_cell(task.path).same_numbers(read_cell(out / "watch" / task.path.name))
    assert ray.said == [("init", None), ("shutdown", None)]
    ray.broken = True
    with pytest.raises(RunError, match=r"a node died.*Finished cells are kept"):
        run_experiment(replace(job, out=Path("other")))


def test_one_failed_cell_does_not_lose_the_others(tiny_data, tmp_path, monkeypatch) -> None:
    whole = cell_work._compute

    def compute(task: Any) -> None:
        if task.cell.entrant == "maestro-plain" and task.cell.fold == 1:
            raise ValueError("out of luck")
        whole(task)

    monkeypatch.setattr(cell_work, "_compute", compute)
    summary, failed = run_experiment(tiny_job("full-modality", tiny_data, tmp_path))
    assert [d.failure for d in failed] == ["ValueError: out of luck"]
    assert [e["name"] for e in summary["entrants"]] == ["maestro"]
    assert any("maestro-plain" in note for note in summary["notes"])
    assert len(list((tmp_path / "watch").glob("*-fold*.json"))) == 3


def test_without_a_whole_entrant_the_reason_is_told(tiny_data, tmp_path, monkeypatch) -> None:
    def compute(task: Any) -> None:
        raise MaestroError("no luck today.")

    monkeypatch.setattr(cell_work, "_compute", compute)
    with pytest.raises(RunError, match="no luck today"):
        run_experiment(tiny_job("full-modality", tiny_data, tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": ("maestrro",)}, "maestro"),
        ({"models": ("lightgbm-ninety",)}, "no model"),
        ({"settings": {"model.widht": 8}}, "model.width"),
        ({"folds": (7,)}, "from 0 to 4"),
        ({"split": "owners"}, "no split of its owners"),
        ({"split": "odd-even"}, "odd and even"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_is_computed(
    changes, said, tiny_data, tmp_path
) -> None:
    with pytest.raises(ConfigError, match=said):
        run_experiment(tiny_job("missingness", tiny_data, tmp_path, **changes))
    assert not list(tmp_path.iterdir())


def test_a_data_set_more_is_ranked_with_the_others(done, tiny_data, tmp_path) -> None:
    out, summary = done
    other = json.loads((out / "watch" / "summary.json").read_text())
    other["dataset"]["name"] = "another"
    other["entrants"][1]["areas"]["modality"]["macro_f1"] = 2.0
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "summary.json").write_text(json.dumps(other))
    found = across(tmp_path, summary)
    first = [e["areas"]["modality"]["macro_f1"] for e in summary["entrants"]]
    assert found is not None
    assert found["datasets"] == ["watch", "another"]
    assert found["mean"]["maestro-plain"] == (1.0 if first[1] > first[0] else 1.5)
    other["entrants"][0]["recipe"]["model"]["width"] = 999
    (tmp_path / "another" / "summary.json").write_text(json.dumps(other))
    assert across(tmp_path, summary) is None


def test_the_headline_figures_follow_the_paper() -> None:
    def entrant(name: str, kind: str, f1: float, right: float) -> dict[str, Any]:
        rows = [
            {"mode": "modality", "rate": r, "macro_f1": f1, "accuracy": right}
            for r in (0.0, 0.1, 0.4)
        ]
        return {"name": name, "recipe": {"model_kind": kind}, "conditions": rows}

    ours = entrant("maestro", "maestro", 0.6, 0.8)
    rivals = [entrant("lightgbm", "lightgbm", 0.5, 0.7), entrant("logistic", "logistic", 0.3, 0.75)]
    found = ratios({"entrants": [ours, *rivals]})
    assert [round(row["value"], 3) for row in found] == [0.2, 0.2, 0.05, 0.05]
    assert [row["rival"] for row in found] == ["lightgbm", "lightgbm", "logistic", "logistic"]
    zero = entrant("maestro-zero", "maestro", 0.4, 0.6)
    zero["recipe"]["symbols"] = {"missing": "zero"}
    (symbol,) = ratios({"entrants": [ours, zero]})
    assert (symbol["rival"], symbol["rate"], symbol["published"]) == ("maestro-zero", 0.4, "11 %")
    assert round(symbol["value"], 3) == 0.5
    assert ratios({"entrants": [ours]}) == []
