from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from running import Command, refused
from safetensors.torch import load_file

from maestro_ts.cli.main import main
from maestro_ts.deploy import export
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import export_job, main_job, sensors_job, torchrun_job
from maestro_ts.experiments.loading import load_data
from maestro_ts.signals.datasets import watch
from maestro_ts.training.run import Run

EXERCISES = ("PEN", "ROW", "IR")
QUICK = ("--recipe", "tiny", "--set", "training.epochs=2", "--threads", "1", "--no-progress")
SUFFIXES = {".yaml", ".json", ".jsonl", ".safetensors", ".parquet", ".html", ".md"}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five subjects, three exercises, 10 s each: four windows a recording, in the set's layout."""
    rng = np.random.default_rng(0)
    series, y, subject = [], [], []
    for s in range(5):
        for k in range(len(EXERCISES)):
            beat = np.sin(np.arange(500)[:, None] * 2 * np.pi * (k + 1) / 100 + s)
            series.append(beat + 0.2 * rng.normal(size=(500, 6)))
            y.append(k)
            subject.append(s + 1)
    content = {
        "X": np.array([*series, None], dtype=object)[:-1],
        "y": np.array(y),
        "y_labels": list(EXERCISES),
        "subject": np.array(subject),
        "X_labels": list(watch.CHANNELS),
    }
    path = tmp_path_factory.mktemp("data") / "watch_dataset.npy"
    np.save(path, np.array(content, dtype=object))
    return path


@pytest.fixture(scope="session")
def trained(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the small set; copy it before changing it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    before = sys.argv
    sys.argv = ["maestro-ts", "fit", "watch", "--data", str(small), "--out", str(folder), *QUICK]
    sys.argv += ["--rates", "0,.5"]
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv = before
    assert stop.value.code == 0
    return folder


@pytest.fixture
def stub_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no real page where it is not what is tested: drawing it takes most of the time."""
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -------------------------------------------------------- what needs no run


def test_an_unknown_data_set_proposes_its_neighbours(command: Command, tmp_path: Path) -> None:
    refused(command("datasets", "info", "wacht"), "'wacht'", "Did you mean 'watch'?")
    refused(command("fit", "wesad4", "--out", tmp_path / "run"), "'wesad4'", "'wesad-e4'")
    assert list(tmp_path.iterdir()) == []


def test_the_models_and_recipes(command: Command) -> None:
    done = command("models")
    assert done.code == 0
    assert any(line.startswith("maestro ") for line in done.out.splitlines())
    assert "default, paper, tiny" in done.out


def test_the_doctor_finds_what_is_installed(command: Command) -> None:
    done = command("doctor")
    assert done.code == 0
    for word in ("torch", "seglearn", "device", "maestro-ts 0"):
        assert word in done.out
    assert "MISSING" not in done.out


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("torch", 1, "MISSING: pip install maestro-ts"), ("seglearn", 0, "maestro-ts[demo]")],
)
def test_the_doctor_finds_what_is_missing(
    name: str, code: int, says: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = importlib.metadata.version

    def without(package: str) -> str:
        if package == name:
            raise importlib.metadata.PackageNotFoundError
        return version(package)

    monkeypatch.setattr(importlib.metadata, "version", without)
    done = command("doctor")
    assert done.code == code
    (line,) = (x for x in done.out.splitlines() if x.split()[:1] == [name])
    assert says in line


def test_no_command_shows_the_help(command: Command) -> None:
    done = command()
    assert "Usage: " in done.out + done.err


@pytest.mark.parametrize(
    "words",
    [
        ("fly",),
        ("fit",),
        ("fit", "watch", "--colour", "red"),
        ("fit", "watch", "--folds", "1"),
        ("fit", "watch", "--threads", "0"),
        ("fit", "watch", "--seed", "-1"),
        ("predict", "run"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_refused(
    words: tuple[str, ...], command: Command
) -> None:
    done = command(*words)
    assert done.code == 2
    assert "Usage: " in done.err
    assert "Traceback" not in done.err


# ------------------------------------------------------------------------- fit


def test_a_fit_writes_a_whole_run(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} == {
        *("settings.yaml", "schema.json", "frontend.safetensors", "model.safetensors"),
        "monitor.safetensors",
        *("training.jsonl", "predictions.parquet", "results.json", "report.html", "README.md"),
    }
    assert Run(trained).finished
    for name, raw in contents(trained).items():
        assert Path(name).suffix in SUFFIXES
        assert raw
    assert not any(zipfile.is_zipfile(p) for p in trained.iterdir())


def test_a_rival_goes_the_same_way_from_data_to_report(
    small: Path, tmp_path: Path, command: Command
) -> None:
    words = ("fit", "watch", "--data", small, "--recipe", "tiny", "--rates", "0,.5")
    out = tmp_path / "run"
    kind = ("--set", "model_kind=majority", "--no-progress", "--out", out)
    refused(command(*words, *kind, "--set", "rival.trees=2"), "rival.trees")
    assert command(*words, *kind, "--overwrite").code == 0
    run = Run(out)
    assert run.finished
    results = Results.load(run.results)
    assert results.cost == {"parameters": 0}
    assert results.about["n_validation"] == 0
    assert run.card.read_text().startswith("# majority on ")
    assert "Multiply-accumulates" not in run.report.read_text()


def test_the_results_tell_what_was_run(trained: Path) -> None:
    about = Results.load(trained / "results.json").about
    assert about["dataset"] == "watch"
    assert about["recipe"] == "tiny"
    assert about["settings"]["training"]["epochs"] == 2
    assert about["seed"] == 0
    assert about["n_train"] + about["n_validation"] + about["n_test"] == 60
    assert set(about["subjects_test"]).isdisjoint(about["subjects_validation"])
    assert len(about["subjects_test"]) == 1


def test_the_predictions_are_those_of_every_condition(trained: Path) -> None:
    table = pq.read_table(trained / "predictions.parquet").to_pandas()
    results = Results.load(trained / "results.json")
    assert len(table) == len(results.scores) * 12
    whole = table[table.pattern == "acc+gyro"]
    assert (whole.truth == whole.predicted).mean() == pytest.approx(results.scores[0]["accuracy"])
    assert set(table.subject) == set(results.about["subjects_test"])


def test_an_export_is_tested_on_the_runs_test_windows(
    run: Path, small: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = []

    def write(graph: Any, example: Any, path: Path) -> None:
        graphs.append(graph)
        path.write_bytes(b"x")

    monkeypatch.setattr(export, "write_torch", write)
    for module in (export, export_job):  # the graph in place of what was written
        monkeypatch.setattr(module, "runner_of", lambda *_: lambda x: graphs[0](*x).detach())
    words = ("--out", tmp_path / "out", "--format", "torch", "--data", small, "--no-progress")
    done = command("export", run, *words)
    assert done.code == 0
    lines = done.out.splitlines()
    table = [line.split() for line in lines if line[:1].isdigit() and "%" in line.split()[0]]
    assert [row[0] for row in table] == ["0%", "20%", "40%", "60%"]
    found = Results.load(run / "results.json").scores[0]
    for row in table:
        assert (row[1], row[3], row[5]) == (row[2], row[4], "100.0%")
    assert float(table[0][1]) == pytest.approx(found["accuracy"], abs=5e-4)
    assert float(table[0][3]) == pytest.approx(found["macro_f1"], abs=5e-4)
    assert table[3][1] != table[0][1]
    assert lines[-1].startswith(f"{found['n']} test windows")


@pytest.mark.usefixtures("stub_report")
def test_the_table_goes_to_standard_output_and_the_rest_to_standard_error(
    small: Path, tmp_path: Path, command: Command
) -> None:
    done = command("fit", "watch", "--data", small, "--out", tmp_path / "run", *QUICK)
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("test windows with")
    for label in ("all sensors", "only acc", "only gyro", "40% of each signal missing"):
        assert label in done.out
    assert done.out.endswith(f"Report: {tmp_path / 'run' / 'report.html'}\n")
    assert "training fold 1: 4/4" in done.err
    assert "macro-F1" in done.err


def test_an_existing_folder_is_refused(run: Path, small: Path, command: Command) -> None:
    before = contents(run)
    refused(
        command("fit", "watch", "--data", small, "--out", run, *QUICK),
        *("the output folder exists", "--resume", "--overwrite", str(run)),
    )
    assert contents(run) == before


@pytest.mark.usefixtures("stub_report")
def test_overwrite_replaces_a_run_and_spares_what_is_none(
    run: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    (run / "old.html").touch()
    words = ("fit", "watch", "--data", small, "--overwrite", *QUICK, "--out")
    assert command(*words, run).code == 0
    assert not (run / "old.html").exists()
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("mine")
    refused(command(*words, home), "not a run folder")
    assert (home / "thesis.txt").read_text() == "mine"


def test_an_old_run_is_not_overwritten_when_the_data_cannot_be_read(
    run: Path, tmp_path: Path, command: Command
) -> None:
    before = contents(run)
    nothing = tmp_path / "nothing.npy"
    words = ("fit", "watch", "--data", nothing, "--overwrite", "--out")
    refused(command(*words, run), "no such file or folder", str(nothing))
    assert contents(run) == before
    refused(command(*words, tmp_path / "new"), "no such file or folder")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("stub_report")
def test_resuming_a_finished_run_trains_no_more(run: Path, small: Path, command: Command) -> None:
    before = contents(run)
    words = ("fit", "watch", "--data", small, "--out", run, *QUICK, "--rates", "0,.5", "--resume")
    done = command(*words)
    assert done.code == 0
    assert "finished already" in done.err
    after = contents(run)
    for name in ("model.safetensors", "frontend.safetensors", "predictions.parquet"):
        assert after[name] == before[name]


def test_resuming_with_other_settings_is_refused(run: Path, small: Path, command: Command) -> None:
    words = ("fit", "watch", "--data", small, "--out", run, *QUICK, "--set", "model.heads=1")
    refused(command(*words, "--resume"), "started with other settings", "--overwrite")


@pytest.mark.parametrize(("key", "value"), [("seed", "7"), ("window-s", "3"), ("folds", "2")])
def test_a_finished_run_of_another_origin_is_not_taken(
    key: str, value: str, run: Path, small: Path, command: Command
) -> None:
    words = ("fit", "watch", "--data", small, "--out", run, *QUICK, "--resume", f"--{key}", value)
    refused(command(*words), "this finished run differs in", "--overwrite")


def test_resume_and_overwrite_exclude_each_other(run: Path, small: Path, command: Command) -> None:
    before = contents(run)
    words = ("fit", "watch", "--data", small, "--out", run, *QUICK, "--resume", "--overwrite")
    refused(command(*words), "exclude each other")
    assert contents(run) == before


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--set", "model.hedas=2"), ("'model.hedas'", "'model.heads'")),
        (("--set", "model.heads"), ("key=value",)),
        (("--set", "model.heads=5"), ("width", "heads=5")),
        (("--recipe", "tinny"), ("no recipe 'tinny'", "'tiny'")),
        (("--rates", "0,half"), ("--rates", "'0,half'")),
        (("--rates", "0,1.5"), ("[0, 1]", "1.5")),
        (("--window-s", "0"), ("duration_s", "positive")),
        (("--window-s", "99"), ("No window of 99.0 s", "10 s")),
        (("--step-s", "1"), ("--step-s", "--window-s")),
        (("--folds", "6"), ("6 folds by subject need 6 subjects, there are 5",)),
        (("--device", "gpu"), ("unknown device 'gpu'",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_refused_in_one_message(
    words: tuple[str, ...], parts: tuple[str, ...], small: Path, tmp_path: Path, command: Command
) -> None:
    refused(command("fit", "watch", "--data", small, "--out", tmp_path / "run", *words), *parts)


def test_a_full_disk_is_one_message(
    small: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = command("fit", "watch", "--data", small, "--out", tmp_path / "run", *QUICK)
    refused(done, "cannot write: No space left on device")


@pytest.mark.usefixtures("stub_report")
def test_a_cross_validation_has_a_run_per_fold_that_can_be_tested_anew(
    small: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "cv"
    words = ("fit", "watch", "--data", small, "--out", out, *QUICK, "--cv", "--folds", "2")
    assert command(*words).code == 0
    about = Results.load(out / "results.json").about
    assert about["cross_validated"]
    assert about["n_test"] == 60
    assert len(about["subjects_test"]) == 5
    folds = [Results.load(out / f"fold-{k}" / "results.json").about for k in (0, 1)]
    assert sorted(s for f in folds for s in f["subjects_test"]) == about["subjects_test"]
    refused(command("evaluate", out, "--data", small), "several runs", "fold-0")
    assert command("evaluate", out / "fold-1", "--data", small, "--rates", "0").code == 0
    kept = contents(out)["fold-0/model.safetensors"]
    assert command(*words, "--resume").code == 0
    assert contents(out)["fold-0/model.safetensors"] == kept


# -------------------------------------------------------------------- evaluate


def test_evaluate_tests_the_test_subjects_at_other_rates(
    run: Path, small: Path, command: Command
) -> None:
    before = Results.load(run / "results.json")
    model = (run / "model.safetensors").read_bytes()
    (run / "report.html").unlink()
    words = ("--rates", "0 .3", "--mode", "modality", "--mode", "points")
    done = command("evaluate", run, "--data", small, *words)
    assert done.code == 0
    assert "30% of the samples" in done.out
    after = Results.load(run / "results.json")
    assert [s["mode"] for s in after.scores] == ["pattern"] * 3 + ["points"] * 2
    assert [row["rate"] for row in after.curve] == [0.0, 0.3]
    assert after.scores[0]["accuracy"] == before.scores[0]["accuracy"]
    assert after.about["subjects_test"] == before.about["subjects_test"]
    assert (after.training, after.cost) == (before.training, before.cost)
    assert (run / "report.html").exists()
    assert (run / "model.safetensors").read_bytes() == model


@pytest.mark.usefixtures("stub_report")
def test_what_is_told_per_subject_is_of_complete_input_whatever_the_mode(
    run: Path, small: Path, command: Command
) -> None:
    before = Results.load(run / "results.json").subjects
    words = ("--rates", ".9", "--mode", "segment")
    assert command("evaluate", run, "--data", small, *words).code == 0
    assert Results.load(run / "results.json").subjects == before


def test_evaluate_refuses_what_it_cannot_test(
    run: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    refused(command("evaluate", tmp_path / "no"), "no such run folder")
    refused(command("evaluate", tmp_path), "not a run folder")
    refused(command("evaluate", run, "--data", small, "--mode", "sensor"), "unknown mode 'sensor'")
    refused(command("evaluate", run, "--data", tmp_path / "no.npy"), "no such file or folder")
    (run / "model.safetensors").write_bytes(b"x")
    refused(command("evaluate", run, "--data", small), "model.safetensors")


def test_evaluate_refuses_data_without_the_test_subjects(
    run: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    content = np.load(small, allow_pickle=True).item()
    content["subject"] = content["subject"] + 20
    np.save(tmp_path / "watch_dataset.npy", np.array(content, dtype=object))
    done = command("evaluate", run, "--data", tmp_path / "watch_dataset.npy")
    refused(done, "none of the run's test subjects")


# --------------------------------------------------------------------- sensors


def test_the_values_of_sensors_are_those_of_the_tested_patterns(
    run: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    copy = tmp_path / "copy.json"
    done = command("sensors", run, "--data", small, "--json", copy, "--no-progress")
    assert done.code == 0
    assert copy.read_text() == (run / "sensors.json").read_text()
    found = json.loads(copy.read_text())
    results = Results.load(run / "results.json")
    assert found["format"] == 1
    assert found["about"]["subjects_test"] == results.about["subjects_test"]
    assert found["about"]["seed"] == 0
    (value,) = found["values"]  # every modality is a device of its own
    assert (value["by"], value["players"]) == ("device", ["acc", "gyro"])
    f1 = {tuple(s["pattern"]): s["macro_f1"] for s in results.scores if s["mode"] == "pattern"}
    assert value["everything"] == pytest.approx(f1["acc", "gyro"])
    assert value["loss"][0] == pytest.approx(f1["acc", "gyro"] - f1[("gyro",)])
    assert value["loss"][1] == pytest.approx(f1["acc", "gyro"] - f1[("acc",)])
    assert value["loss_interval"] is None  # one test subject
    assert "Loss if it fails" in done.out
    assert "testing sets, by device: 4/4" in done.err
    assert 'id="device-value"' in (run / "report.html").read_text()
    (run / "report.html").unlink()
    assert command("report", run).code == 0
    assert 'id="device-value"' in (run / "report.html").read_text()


def test_a_new_test_keeps_the_values_of_sensors(
    run: Path, small: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (main_job, sensors_job):
        monkeypatch.setattr(module, "write_report", lambda *_: written.append(_[2]))
    written: list[Any] = []
    assert command("sensors", run, "--data", small).code == 0
    assert command("evaluate", run, "--data", small, "--rates", "0").code == 0
    assert written[0] == written[1]
    assert written[0].values[0]["players"] == ["acc", "gyro"]


def test_values_for_their_costs(
    run: Path, small: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors_job, "write_report", lambda *_: None)
    costs = tmp_path / "costs.yaml"
    costs.write_text("unit: mW\ncosts: {acc: 0.5, gyro: 6}\n")
    done = command("sensors", run, "--data", small, "--by", "modality", "--costs", costs)
    assert done.code == 0
    assert "Cost, mW" in done.out
    (value,) = json.loads((run / "sensors.json").read_text())["values"]
    assert (value["by"], value["unit"], value["costs"]) == ("modality", "mW", [0.5, 6.0])


def test_sensors_that_cannot_be_valued_are_refused(
    run: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    before = contents(run)
    costs = tmp_path / "costs.yaml"
    costs.write_text("costs: {acc: 0.5, gyr: 6}\n")
    words = ("sensors", run, "--data", small)
    refused(command(*words, "--costs", costs), "unknown device 'gyr'", "'gyro'")
    refused(command(*words, "--costs", tmp_path / "no.yaml"), "no.yaml", "cannot be read")
    refused(command(*words, "--by", "sensor"), "valued by 'sensor'")
    refused(command(*words, "--metric", "f1"), "unknown metric 'f1'")
    refused(command(*words, "--metric", "auroc"), "AUROC needs the class")
    refused(command("sensors", tmp_path), "not a run folder")
    assert contents(run) == before


# --------------------------------------------------------------------- predict


def test_predict_takes_an_npz_in_which_a_modality_is_absent(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    acc = np.random.default_rng(0).normal(size=(7, 200, 3))
    acc[5] = np.nan
    np.savez(tmp_path / "x.npz", acc=acc)
    done = command("predict", trained, tmp_path / "x.npz", "--out", tmp_path / "p.parquet")
    assert done.code == 0
    assert "7 windows" in done.out
    assert "1 windows have no sensor at all" in done.out
    table = pq.read_table(tmp_path / "p.parquet").to_pandas()
    assert list(table.columns) == [
        *("source", "subject", "start_s", "duration_s", "predicted"),
        *("p_IR", "p_PEN", "p_ROW", "present_acc", "present_gyro", "prior"),
    ]
    assert table.prior.tolist() == [i == 5 for i in range(7)]
    assert table.present_acc.tolist() == [i != 5 for i in range(7)]
    assert not table.present_gyro.any()
    p = table[["p_IR", "p_PEN", "p_ROW"]].to_numpy()
    assert np.allclose(p.sum(axis=1), 1)
    assert table.predicted.tolist() == [["IR", "PEN", "ROW"][k] for k in p.argmax(axis=1)]


def test_predict_in_another_precision(trained: Path, tmp_path: Path, command: Command) -> None:
    np.savez(tmp_path / "x.npz", acc=np.random.default_rng(0).normal(size=(7, 200, 3)))
    p = {}
    for name in ("float32", "bfloat16"):
        out = tmp_path / f"{name}.parquet"
        words = ("--out", out, "--precision", name)
        assert command("predict", trained, tmp_path / "x.npz", *words).code == 0
        p[name] = pq.read_table(out).to_pandas().p_IR.to_numpy()
    assert not np.array_equal(p["float32"], p["bfloat16"])
    assert np.abs(p["float32"] - p["bfloat16"]).max() < 0.05


def test_predict_reads_files_of_the_data_set_and_agrees_with_the_test(
    trained: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    done = command("predict", trained, small, "--out", tmp_path / "p.parquet")
    assert done.code == 0
    table = pq.read_table(tmp_path / "p.parquet").to_pandas()
    assert len(table) == 60
    tested = pq.read_table(trained / "predictions.parquet").to_pandas()
    tested = tested[tested.pattern == "acc+gyro"]
    (subject,) = set(tested.subject)
    mine = table[table.subject == subject]
    assert mine.predicted.tolist() == tested.predicted.tolist()
    assert np.allclose(mine.p_IR, tested.p_IR, rtol=1e-4)


def test_predict_merges_windows_into_a_timeline_and_events(
    trained: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    line, events = tmp_path / "t.parquet", tmp_path / "e.parquet"
    words = ("predict", trained, small, "--out", tmp_path / "p.parquet")
    choice = ("--event-class", "ROW", "--event-threshold", ".1", "--merge-gap-s", "1")
    done = command(*words, "--timeline", line, "--events", events, *choice)
    assert done.code == 0
    assert f"0.04 h known, 0.00 h unknown (no sensor or window) → {line}" in done.out
    table = pq.read_table(line).to_pandas()
    assert table.groupby("source").windows.apply(list).tolist() == [[1, 2, 2, 2, 1]] * 15
    found = pq.read_table(events).to_pandas()
    assert f"{len(found)} events → {events}" in done.out
    assert set(found["class"]) <= {"ROW"}
    assert len(found) > 0
    assert found.probability.between(0.05, 1).all()


def test_predict_refuses_what_makes_no_timeline_before_it_begins(
    trained: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    np.savez(tmp_path / "x.npz", acc=np.zeros((2, 200, 3)))
    words = ("predict", trained, small, "--out", tmp_path / "p.parquet")
    events = ("--events", tmp_path / "e.parquet")
    refused(command(*words, "--event-class", "ROW"), "without --events")
    refused(command(*words, *events, "--event-class", "RWO"), "'RWO'", "'ROW'")
    refused(command(*words, *events, "--event-threshold", "0"), "(0, 1]")
    refused(command(*words, *events, "--min-event-s", "-1"), "min_duration_s is -1")
    refused(command("predict", trained, tmp_path / "x.npz", *events), "in no recording")
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]


def test_predict_refuses_what_it_cannot_read(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    out = ("--out", tmp_path / "p.parquet")
    refused(command("predict", trained, tmp_path / "no.npz", *out), "no such file or folder")
    refused(command("predict", tmp_path / "no", tmp_path, *out), "no such run folder")
    np.savez(tmp_path / "typo.npz", acce=np.zeros((2, 200, 3)))
    refused(command("predict", trained, tmp_path / "typo.npz", *out), "'acce'", "'acc'")
    np.savez(tmp_path / "wide.npz", acc=np.zeros((2, 200, 4)))
    refused(command("predict", trained, tmp_path / "wide.npz", *out), "3 channels", "(200, 4)")
    np.savez(tmp_path / "long.npz", acc=np.zeros((2, 400, 3)))
    refused(command("predict", trained, tmp_path / "long.npz", *out), "outside its window of 4 s")
    (tmp_path / "text.npz").write_text("a,b\n1,2\n")
    refused(command("predict", trained, tmp_path / "text.npz", *out), "not an .npz")
    np.savez(tmp_path / "code.npz", acc=np.array([{"a": 1}], dtype=object))
    refused(command("predict", trained, tmp_path / "code.npz", *out), "not an .npz")
    assert not (tmp_path / "p.parquet").exists()


def test_predict_says_when_it_cannot_write(trained: Path, tmp_path: Path, command: Command) -> None:
    np.savez(tmp_path / "x.npz", acc=np.zeros((2, 200, 3)))
    (tmp_path / "file").touch()
    done = command("predict", trained, tmp_path / "x.npz", "--out", tmp_path / "file" / "p.parquet")
    refused(done, "cannot write")


# ---------------------------------------------------------------- report, demo


def test_report_is_written_anew_from_the_results(run: Path, command: Command) -> None:
    (run / "report.html").unlink()
    done = command("report", run)
    assert done.code == 0
    assert done.out == f"Report: {run / 'report.html'}\n"
    assert "Shoulder physiotherapy" in (run / "report.html").read_text()


def test_report_without_results_says_what_to_do(tmp_path: Path, command: Command) -> None:
    refused(command("report", tmp_path), "no results here", "evaluate")
    assert list(tmp_path.iterdir()) == []


def test_report_refuses_results_of_a_newer_version(run: Path, command: Command) -> None:
    tree = json.loads((run / "results.json").read_text()) | {"format": 99}
    (run / "results.json").write_text(json.dumps(tree))
    refused(command("report", run), "results format 99", "Upgrade")


def test_the_demo_without_its_data_says_what_to_install_and_leaves_nothing(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "find_spec", lambda name: None)
    done = command("demo", "--out", tmp_path / "demo")
    refused(done, "'seglearn'", 'pip install "maestro-ts[demo]"')
    assert not (tmp_path / "demo").exists()


def test_the_demo_trains_on_the_installed_data(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("seglearn")
    jobs: list[main_job.Job] = []

    def only_look(job: main_job.Job, progress: Any) -> Any:
        jobs.append(job)
        raise KeyboardInterrupt

    monkeypatch.setattr(torchrun_job, "run_job", only_look)
    assert command("demo", "--out", tmp_path / "demo").code == 130
    (job,) = jobs
    loaded = load_data(job.dataset, job.data, job.windows, main_job.Progress())
    assert len(set(loaded.windows.subjects)) == 10
    assert set(loaded.windows.labels) == set(watch.CARD.classes)
    assert job.recipe.training.epochs < 100


@pytest.mark.usefixtures("stub_report")
@pytest.mark.slow
def test_a_fit_on_the_real_demo_data(tmp_path: Path, command: Command) -> None:
    pytest.importorskip("seglearn")
    words = ("--recipe", "tiny", "--set", "training.epochs=3", "--threads", "1")
    assert command("fit", "watch", "--out", tmp_path / "run", *words).code == 0
    results = Results.load(tmp_path / "run" / "results.json")
    assert results.about["n_test"] > 300
    assert results.scores[0]["accuracy"] > 0.4


# ---------------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize("name", ["fit", "demo"])
def test_interrupted_it_says_how_to_go_on(
    name: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torchrun_job, "run_job", interrupted)
    out = tmp_path / "my runs"
    words = ["fit", "watch"] if name == "fit" else ["demo"]
    done = command(*words, "--out", out, "--overwrite")
    assert done.code == 130
    told = f"maestro-ts {' '.join(words)} --out '{out}' --resume"
    assert done.err.splitlines()[-1].strip() == told


@pytest.mark.usefixtures("stub_report")
def test_a_run_stopped_with_ctrl_c_is_finished_by_resume(
    small: Path, tmp_path: Path, command: Command
) -> None:
    options = ("--data", small, "--recipe", "tiny", "--set", "training.epochs=40")
    options += ("--threads", "1", "--rates", "0,.5", "--no-progress")
    words = ("fit", "watch", "--out", tmp_path / "run", *options)
    code = "from maestro_ts.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        # A suite started in the background ignores SIGINT, and a child inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    run = Run(tmp_path / "run")
    try:
        end = time.monotonic() + 120
        while not run.state.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted. What was finished is kept" in told
    assert told.rstrip().endswith("--resume")
    assert "Traceback" not in told
    assert run.state.exists()
    assert not run.finished
    refused(command("evaluate", run.folder), "not finished", "--resume")
    refused(command(*words), "the output folder exists")

    resumed = command(*words, "--resume")
    assert resumed.code == 0
    assert "going on after step" in resumed.err
    assert run.finished
    assert not run.state.exists()
    assert len(run.load_log()) == 40
    assert command("fit", "watch", "--out", tmp_path / "whole", *options).code == 0
    a, b = load_file(run.model), load_file(tmp_path / "whole" / "model.safetensors")
    assert all(torch.equal(a[key], b[key]) for key in b)
