from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.store import open_windows, prepare

QUICK = ("--recipe", "tiny", "--set", "training.epochs=1", "--threads", "1", "--no-progress")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the first 5 subjects of the set that comes with a package."""
    out = tmp_path_factory.mktemp("prepared") / "store"
    recordings = read("watch", None).recordings
    subjects = sorted({r.subject for r in recordings})[:5]
    known = card("watch")
    prepare(
        [r for r in recordings if r.subject in subjects],
        known.schema,
        known.windows,
        out,
        about={"name": "watch", "classes": known.classes},
    )
    return out


def test_prepare_writes_a_store_and_says_what_is_in_it(command, tmp_path):
    out = tmp_path / "store"
    code, said, _ = command("prepare", "watch", "--out", out, "--no-progress")
    assert code == 0
    windows = open_windows(out)
    assert f"{len(read('watch', None).recordings)} recordings, {len(windows)} windows" in said
    code, _, error = command("prepare", "watch", "--out", out, "--no-progress")
    assert code == 2
    assert "store already" in error
    again = ("prepare", "watch", "--out", out, "--window-s", 2, "--step-s", 1, "--no-progress")
    assert command(*again, "--resume")[0] == 0
    assert set(open_windows(out).duration_s.tolist()) == {2.0}
    assert command(*again, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--resume", "--overwrite"), "exclude each other"),
        (("--step-s", "1"), "without --window-s"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words, message, command, tmp_path):
    code, _, error = command("prepare", "watch", "--out", tmp_path / "store", *words)
    assert code == 2
    assert message in error
    assert not (tmp_path / "store").exists()


def test_fit_and_evaluate_take_a_store(store, command, tmp_path):
    code, said, error = command(
        "fit", store, "--out", tmp_path / "run", "--folds", 2, "--rates", "0,.5", *QUICK
    )
    assert code == 0, error
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["about"]["dataset"] == "watch"
    assert "report.html" in said
    words = ("evaluate", tmp_path / "run", "--data", store, "--rates", "0", "--no-progress")
    assert command(*words)[0] == 0
    table = tmp_path / "predictions.parquet"
    words = ("predict", tmp_path / "run", store, "--out", table, "--no-progress")
    assert command(*words)[0] == 0
    assert pq.read_metadata(table).num_rows == len(open_windows(store))
    assert json.loads((tmp_path / "run" / "schema.json").read_text())["dataset"] == "watch"


def test_fit_cuts_a_store_as_asked_without_changing_it(store, command, tmp_path):
    before = open_windows(store)
    windows = open_windows(store, WindowSpec(4.0, 4.0))
    words = ("--window-s", 4, "--step-s", 4, "--folds", 2, "--rates", "0", *QUICK)
    assert command("fit", store, "--out", tmp_path / "run", *words)[0] == 0
    about = json.loads((tmp_path / "run" / "results.json").read_text())["about"]
    assert about["n_train"] + about["n_validation"] + about["n_test"] == len(windows)
    np.testing.assert_array_equal(open_windows(store).ids, before.ids)
