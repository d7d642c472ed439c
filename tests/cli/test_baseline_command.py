"""A run that knows values by each recording's baseline, from its fit to new files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from own_data import study
from running import Command, refused

from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import main_job
from maestro_ts.report.header import summary

QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")
QUICK += ("--folds", "3", "--rates", "0")
TOLD = "the first 4 s, in which no window begins."


@pytest.fixture(autouse=True)
def _stub_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )


def rescaled(folder: Path) -> Path:
    """The same recordings by sensors of another gain and offset."""
    for path in study(folder).rglob("acc.csv"):
        lines = path.read_text().splitlines()
        rows = [[float(x) for x in line.split(",")] for line in lines[1:]]
        other = [f"{t!r},{4 * x + 1!r},{y / 8 - 2!r},{2 * z!r}" for t, x, y, z in rows]
        path.write_text("\n".join([lines[0], *other, ""]))
    return folder


def probabilities(table: Path) -> np.ndarray:
    frame = pq.read_table(table).to_pandas()
    assert frame.start_s.tolist() == [4.0, 8.0] * 6
    return frame.filter(regex="^p_").to_numpy(np.float64)


def test_a_run_keeps_its_baseline(tmp_path: Path, command: Command) -> None:
    run, source = tmp_path / "run", study(tmp_path / "study")
    done = command("fit", source, "--out", run, "--baseline-s", "4", *QUICK)
    assert done.code == 0, done.err
    results = Results.load(run / "results.json")
    assert results.about["windows"] == {"duration_s": 4.0, "step_s": 4.0, "baseline_s": 4.0}
    assert json.loads((run / "schema.json").read_text())["baseline_s"] == 4.0
    assert TOLD in (run / "README.md").read_text()
    assert summary(results).endswith(TOLD)

    found = {}
    store = tmp_path / "store"
    assert command("prepare", source, "--out", store, "--no-progress").code == 0
    new = rescaled(tmp_path / "new")
    for name, place in {"plain": source, "new": new, "store": store}.items():
        table = tmp_path / f"{name}.parquet"
        done = command("predict", run, place, "--out", table, "--no-progress")
        assert done.code == 0, done.err
        found[name] = probabilities(table)
    assert found["plain"].shape == (12, 2)
    np.testing.assert_allclose(found["new"], found["plain"], atol=1e-5)
    np.testing.assert_array_equal(found["store"], found["plain"])
    assert command("evaluate", run, "--rates", "0", "--no-progress").code == 0

    np.savez(tmp_path / "x.npz", acc=np.zeros((2, 80, 3)))
    alone = command("predict", run, tmp_path / "x.npz", "--out", tmp_path / "no.parquet")
    refused(alone, "baseline is of recordings, an .npz holds windows", TOLD)
    again = ("fit", source, "--out", run, "--resume", *QUICK)
    refused(command(*again), "differs in", "windows_train")


def test_a_finished_run_is_not_taken_for_one_of_another_baseline(
    tmp_path: Path, command: Command
) -> None:
    """Of a session the windows are those of no baseline; what is in them is not."""
    run, source = tmp_path / "run", study(tmp_path / "study")
    assert command("fit", source, "--out", run, "--baseline-s", "session", *QUICK).code == 0
    again = ("fit", source, "--out", run, "--resume", *QUICK)
    refused(command(*again), "differs in baseline_s")
    assert command(*again, "--baseline-s", "session").code == 0


def test_a_baseline_that_cannot_be_is_refused(tmp_path: Path, command: Command) -> None:
    source = study(tmp_path / "study")
    to = ("--out", tmp_path / "no", "--no-progress")
    refused(command("fit", source, "--baseline-s", "day", *to), "seconds or session, got 'day'")
    refused(
        command("prepare", source, "--baseline-s", "180", *to), "12 s long", "6 of 6", "session"
    )
    assert not (tmp_path / "no").exists()


def test_the_schema_may_say_it_and_the_command_take_it_away(
    tmp_path: Path, command: Command
) -> None:
    source = study(tmp_path / "study")
    path = source / "schema.yaml"
    path.write_text(re.sub(r"(windows:\n)", r"\1  baseline_s: 4\n", path.read_text()))
    for words, n in ((), 12), (("--baseline-s", "0"), 18), (("--baseline-s", "8"), 6):
        out = tmp_path / f"store-{n}"
        done = command("prepare", source, "--out", out, "--no-progress", *words)
        assert done.code == 0, done.err
        assert f" {n} windows" in done.out
