"""A data set of numbers, the whole way through the commands."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from layouts import wesad_hr_set, write
from running import Command, refused

from maestro_ts.cli.main import main
from maestro_ts.evaluation.results import Results

QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    subjects = ("S2", "S3", "S4", "S5")
    return write(wesad_hr_set(subjects), tmp_path_factory.mktemp("data"), "zip")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; copy it before changing it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    before = sys.argv
    sys.argv = ["maestro-ts", "fit", "wesad-e4-hr", "--data", str(data), "--out", str(folder)]
    sys.argv += [*QUICK, "--folds", "2", "--rates", "0,.5"]
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv = before
    assert stop.value.code == 0
    return folder


def test_a_run_has_errors_estimates_a_page_and_a_card(trained: Path) -> None:
    results = Results.load(trained / "results.json")
    assert results.numbers["name"] == "heart rate"
    table = pq.read_table(trained / "predictions.parquet")
    whole = [m["name"] for m in results.modalities]
    rows = table.filter(np.array(table["pattern"].to_pylist()) == "+".join(whole))
    truth, predicted = (rows[c].to_numpy() for c in ("truth", "predicted"))
    assert len(rows) == results.scores[0]["n"] == 82  # two subjects of 41 windows
    assert np.abs(truth - predicted).mean() == pytest.approx(results.scores[0]["mae"])
    assert not [c for c in table.column_names if c.startswith("p_")]
    assert 60 <= truth.min() < truth.max() <= 80
    assert "Estimated against true" in (trained / "report.html").read_text()
    assert "Estimates: heart rate in 1/min" in (trained / "README.md").read_text()


def test_evaluate_tests_anew(trained: Path, data: Path, tmp_path: Path, command: Command) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    done = command("evaluate", run, "--data", data, "--rates", "0,.5", "--no-progress")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split()[3:8] == ["realised", "MAE", "RMSE", "R²", "95"]
    assert "heart rate in 1/min; the median of the training numbers has a MAE of" in done.out
    old, new = (Results.load(r / "results.json") for r in (trained, run))
    assert new.scores[0]["mae"] == old.scores[0]["mae"]
    assert new.numbers == old.numbers


def test_predict_writes_numbers_and_the_page_is_drawn_anew(
    trained: Path, data: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "p.parquet"
    assert command("predict", trained, data, "--out", out, "--no-progress").code == 0
    table = pq.read_table(out)
    assert len(table) == 4 * 41
    assert np.isfinite(table["predicted"].to_numpy()).all()
    done = command("report", trained)
    assert done.code == 0


def test_what_is_for_classes_is_refused(
    trained: Path, data: Path, tmp_path: Path, command: Command
) -> None:
    events = ("--events", tmp_path / "e.parquet")
    refused(command("predict", trained, data, *events), "this run has no classes")
    refused(command("sensors", trained, "--data", data), "the worth of sensors is for classes")
    refused(
        command("export", trained, "--out", tmp_path / "out", "--format", "torch"), "has no classes"
    )
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "e.parquet").exists()


def test_a_store_knows_what_its_numbers_are(data: Path, tmp_path: Path, command: Command) -> None:
    store, run = tmp_path / "store", tmp_path / "run"
    done = command("prepare", "wesad-e4-hr", "--data", data, "--out", store, "--no-progress")
    assert done.code == 0, done.err
    done = command("fit", store, "--out", run, *QUICK, "--folds", "2", "--rates", "0")
    assert done.code == 0, done.err
    assert Results.load(run / "results.json").numbers["unit"] == "1/min"


def test_the_card_names_the_number(data: Path, command: Command) -> None:
    done = command("datasets", "info", "wesad-e4-hr", "--data", data)
    assert "number: heart rate (1/min)" in done.out
    assert "labels 164, min" in done.out
