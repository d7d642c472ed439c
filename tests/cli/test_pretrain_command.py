"""Pre-training from signals alone, and a fit that starts from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from own_data import SCHEMA, study, write_schema
from running import Command, refused

from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import main_job
from maestro_ts.experiments.loading import load_data
from maestro_ts.experiments.progress import Progress
from maestro_ts.training import pretrain as pretraining
from maestro_ts.training.run import Run

QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")
FIT = ("--folds", "3", "--rates", "0", *QUICK)


@pytest.fixture(autouse=True)
def _no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return study(tmp_path / "study")


def unlabelled(path: Path) -> Path:
    write_schema(path, {key: value for key, value in SCHEMA.items() if key != "labels"})
    return path


def described(run: Path) -> Any:
    return json.loads((run / "schema.json").read_text())


def test_signals_without_labels_are_learned_from_and_a_fit_starts_there(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    bare = unlabelled(Path(shutil.copytree(folder, tmp_path / "bare")))
    refused(command("fit", bare, "--out", tmp_path / "x", *FIT), "no recording has a label")
    run, fitted = tmp_path / "pre", tmp_path / "run"
    done = command("pretrain", bare, "--out", run, *QUICK)
    assert done.code == 0, done.err
    assert "18 windows of 3 subjects of bare" in done.out
    assert {p.name for p in run.iterdir()} == {
        *("settings.yaml", "schema.json", "frontend.safetensors", "model.safetensors"),
        *("training.jsonl", "README.md"),
    }
    assert described(run)["pretrained"]
    assert described(run)["subjects_pretrained"] == {"bare": ["S1", "S2", "S3"]}
    refused(command("cost", run), "pre-trained without labels", "fit … --init")
    done = command("fit", folder, "--init", run, "--out", fitted, *FIT)
    assert done.code == 0, done.err
    assert "NOT UNSEEN: 1 of 1 test subjects" in done.err
    about = Results.load(fitted / "results.json").about
    assert about["notes"][0].startswith("NOT UNSEEN")
    card = (fitted / "README.md").read_text()
    assert f"Started from: {run}, pre-trained without labels" in card
    assert "NOT UNSEEN" in card
    assert described(fitted)["init"]["run"] == str(run)
    assert len(described(fitted)["subjects_fitted"]["study"]) == 2
    assert described(fitted)["subjects_pretrained"] == {"bare": ["S1", "S2", "S3"]}


def test_a_fold_leaves_its_test_subjects_out(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    run, fitted = tmp_path / "pre", tmp_path / "run"
    words = ("--fold", 0, "--folds", 3, "--out", run, *QUICK)
    assert command("pretrain", folder, *words).code == 0
    done = command("fit", folder, "--init", run, "--out", fitted, *FIT)
    assert done.code == 0, done.err
    assert "NOT UNSEEN" not in done.err
    (tested,) = Results.load(fitted / "results.json").about["subjects_test"]
    assert tested not in described(run)["subjects_pretrained"]["study"]
    # A run that was trained with the labels of who is to be tested is refused.
    chosen = "S1" if tested != "S1" else "S2"
    change = described(fitted) | {"subjects_fitted": {"study": [tested, chosen]}}
    (fitted / "schema.json").write_text(json.dumps(change))
    refused(
        command("fit", folder, "--init", fitted, "--out", tmp_path / "again", *FIT),
        *("labels of 1 of 1 test subjects", tested),
    )
    assert not (tmp_path / "again").exists()


def test_subjects_are_chosen_by_name(folder: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "pre"
    refused(
        command("pretrain", folder, "--subjects", "S1,S9", "--out", run, *QUICK), "no subject 'S9'"
    )
    refused(
        command("pretrain", folder, "--subjects", "S1", "--fold", "0", "--out", run, *QUICK),
        "exclude each other",
    )
    refused(
        command("pretrain", folder, "--fold", "9", "--folds", "3", "--out", run, *QUICK), "got 9"
    )
    assert not run.exists()
    assert command("pretrain", folder, "--subjects", "S1, S3", "--out", run, *QUICK).code == 0
    assert described(run)["subjects_pretrained"] == {"study": ["S1", "S3"]}


def test_an_interrupted_one_is_gone_on_with(
    folder: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, words = tmp_path / "pre", (*QUICK, "--set", "training.epochs=3")

    def stop(self: Any, *_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        step = pretraining._MaskedTrainer._step
        patch.setattr(
            pretraining._MaskedTrainer,
            "_step",
            lambda self, *a: stop(self) if self.epoch == 2 else step(self, *a),
        )
        done = command("pretrain", folder, "--out", run, *words)
    assert done.code == 130
    assert "--resume" in done.err
    assert not Run(run).finished
    refused(command("fit", folder, "--init", run, "--out", tmp_path / "x", *FIT), "not finished")
    done = command("pretrain", folder, "--out", run, *words, "--resume")
    assert done.code == 0, done.err
    assert Run(run).finished
    assert len(Run(run).load_log()) == 3
    done = command("pretrain", folder, "--out", run, *words, "--resume")
    assert "finished already" in done.err


def test_a_fit_is_resumed_from_the_run_it_started_from(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    run, fitted = tmp_path / "pre", tmp_path / "run"
    assert command("pretrain", folder, "--out", run, *QUICK).code == 0
    assert command("fit", folder, "--init", run, "--out", fitted, *FIT).code == 0
    refused(command("fit", folder, "--out", fitted, *FIT, "--resume"), "was started from", str(run))
    done = command("fit", folder, "--init", run, "--out", fitted, *FIT, "--resume")
    assert done.code == 0, done.err
    assert "finished already" in done.err


def test_a_store_gives_the_windows_that_its_folder_gives(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    rows = (folder / "recordings.csv").read_text().splitlines()
    (folder / "recordings.csv").write_text("\n".join([*rows[:-1], ""]))  # one has no label
    store = tmp_path / "store"
    assert command("prepare", folder, "--out", store, "--no-progress").code == 0
    progress = Progress()
    sources = (str(folder), str(store))
    files, stored = (load_data(s, None, None, progress, labelled=False).windows for s in sources)
    assert len(files) == len(stored) == 18
    assert len(load_data(sources[1], None, None, progress).windows) == 15
    assert files.labels is None
    assert stored.labels is None
    assert files.ids.tolist() == stored.ids.tolist()
    assert (files.samples["acc"].read() == stored.samples["acc"].read()).all()
