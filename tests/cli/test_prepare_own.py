"""A folder of one's own as a store: prepared, added to, trained on, and its run on plain files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from own_data import study, write_csv, write_schema
from running import Command, refused

from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import main_job
from maestro_ts.signals.store import open_windows

QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")
SMALL = ("--folds", "2", "--rates", "0", *QUICK)


@pytest.fixture(autouse=True)
def _no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """A study in which one accelerometer begins four times too small, for 3 of its 12 s."""
    path = study(tmp_path / "study")
    rng = np.random.default_rng(0)
    steps = np.round(rng.normal(200, 30, (240, 3))) / 256
    steps[:60] /= 4
    columns = {"t": [50 * i for i in range(240)]}
    write_csv(
        path / "S1" / "S1-0" / "acc.csv",
        columns | {axis: steps[:, k].tolist() for k, axis in enumerate("xyz")},
    )
    return path


def test_a_run_on_a_store_predicts_the_folder_and_the_store_alike(
    tmp_path: Path, command: Command
) -> None:
    path, store, run = study(tmp_path / "study"), tmp_path / "store", tmp_path / "run"
    done = command("prepare", path, "--out", store, "--jobs", 2, "--no-progress")
    assert done.code == 0, done.err
    assert "6 recordings, 18 windows" in done.out
    done = command("fit", store, "--out", run, *SMALL)
    assert done.code == 0, done.err
    about = Results.load(run / "results.json").about
    assert (about["dataset"], about["source"]) == ("study", str(store))
    plain = Results.load(run / "results.json")
    assert command("evaluate", run, "--rates", "0", "--no-progress").code == 0
    assert Results.load(run / "results.json").scores[0] == plain.scores[0]
    tables = []
    for source in (path, store):
        table = tmp_path / "p.parquet"
        done = command("predict", run, source, "--out", table, "--no-progress")
        assert done.code == 0, done.err
        tables.append(pq.read_table(table).to_pandas())
    assert tables[0].equals(tables[1])


def test_more_recordings_are_added_and_what_does_not_go_together_is_refused(
    tmp_path: Path, command: Command
) -> None:
    path, store = study(tmp_path / "study"), tmp_path / "store"
    words = ("--out", store, "--no-progress")
    refused(command("prepare", path, *words, "--append"), "not a window store")
    assert command("prepare", path, *words).code == 0
    refused(command("prepare", path, *words), "there is a store already")
    refused(command("prepare", path, *words, "--append"), "nothing new to add")
    refused(command("prepare", path, *words, "--append", "--window-s", 2), "takes neither windows")
    refused(command("prepare", "umafall", *words, "--append"), "a folder of your own")
    refused(command("prepare", path, "--data", path, *words), "--data is given with the folder")
    refused(command("prepare", "umafal", *words), "'umafall'")
    refused(command("prepare", path, *words, "--overwrite", "--engine", "dask"), "no engine 'dask'")
    write_csv(path / "S4" / "S4-0" / "temp.csv", {"temp": [33.0] * 48})
    with (path / "recordings.csv").open("a") as table:
        table.write("S4-0,walk\n")
    done = command("prepare", path, *words, "--append")
    assert done.code == 0, done.err
    assert "7 recordings, 21 windows" in done.out


def test_a_scale_is_distrusted_in_training_and_so_in_predicting(
    doubtful: Path, tmp_path: Path, command: Command
) -> None:
    note = "scale distrusted: 1 streams, 3 of their 12 s (25.0%) taken as missing"
    told = command("inspect", doubtful, "--no-progress")
    assert "unit-change" in told.out
    told = command("inspect", doubtful, "--distrust-scale", "--no-progress")
    assert note in told.err
    assert "unit-change" not in told.out
    run, store = tmp_path / "run", tmp_path / "store"
    done = command("fit", doubtful, "--distrust-scale", "--out", run, *SMALL)
    assert done.code == 0, done.err
    assert note in done.err
    about = Results.load(run / "results.json").about
    assert about["distrust_scale"] is True
    assert note in about["notes"]
    assert json.loads((run / "schema.json").read_text())["distrust_scale"] is True
    words = ("--out", tmp_path / "p.parquet", "--no-progress")
    assert note in command("predict", run, doubtful, *words).err
    assert note in command("evaluate", run, "--rates", "0", "--no-progress").err

    done = command("prepare", doubtful, "--out", store, "--no-progress")
    assert note not in done.err
    refused(command("predict", run, store, *words), "prepared without --distrust-scale")
    refused(
        command("fit", store, "--distrust-scale", "--out", tmp_path / "no", *SMALL),
        "prepared without --distrust-scale",
    )
    again = ("prepare", doubtful, "--out", store, "--overwrite", "--no-progress")
    assert note in command(*again, "--distrust-scale").err
    assert command("predict", run, store, *words).code == 0
    assert open_windows(store).valid_counts()[0, 0] == 20


def test_a_run_resumes_only_with_the_trust_it_began_with(
    doubtful: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    assert command("fit", doubtful, "--out", run, *SMALL).code == 0
    assert command("fit", doubtful, "--out", run, "--resume", *SMALL).code == 0
    done = command("fit", doubtful, "--distrust-scale", "--out", run, "--resume", *SMALL)
    refused(done, "differs in distrust_scale")


def test_a_run_filters_what_it_predicts_as_its_training_data(
    tmp_path: Path, command: Command
) -> None:
    plain, path = study(tmp_path / "plain"), study(tmp_path / "study")
    tree = yaml.safe_load((path / "schema.yaml").read_text())
    tree["modalities"]["acc"] |= {"filter": {"low_pass_hz": 4}, "downsample_hz": 10}
    write_schema(path, tree)
    store, other, run = tmp_path / "store", tmp_path / "other", tmp_path / "run"
    assert command("prepare", path, "--out", store, "--no-progress").code == 0
    assert command("prepare", plain, "--out", other, "--no-progress").code == 0
    done = command("fit", store, "--out", run, *SMALL)
    assert done.code == 0, done.err
    tables = []
    for source in (store, path, plain):
        done = command("predict", run, source, "--out", tmp_path / "p.parquet", "--no-progress")
        assert done.code == 0, done.err
        tables.append(pq.read_table(tmp_path / "p.parquet").to_pandas())
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    done = command("predict", run, other, "--out", tmp_path / "no.parquet", "--no-progress")
    refused(done, "'acc' is not filtered, the run's was filtered by", "low_pass_hz: 4")
    told = command("inspect", path, "--no-progress")
    assert "20 Hz" in told.out
