"""A run's file and model, side by side on the run's test subjects."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_experiment import FAST

from maestro_ts.errors import DataError
from maestro_ts.experiments import export_job
from maestro_ts.experiments.export_job import export_and_time
from maestro_ts.experiments.main_job import Job, run_job
from maestro_ts.experiments.progress import Progress
from maestro_ts.recipe import load_recipe


@pytest.fixture(scope="module")
def run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    recipe = load_recipe("tiny").override({**FAST, "symbols.dictionary": 1})
    run_job(Job("watch", tiny_data, folder, recipe, rates=(0.0,), modes=("modality",)), Progress())
    return folder


def test_file_and_model_say_the_same_of_windows_that_miss_sensors(
    run: Path, tiny_data: Path, tmp_path: Path
) -> None:
    done = export_and_time(run, tmp_path / "out", "torch", samples=True, data=tiny_data, rounds=1)
    assert [row.rate for row in done.accuracy] == [0.0, 0.2, 0.4, 0.6]
    for row in done.accuracy:
        assert row.windows > 10
        assert row.same_class == 1.0
        assert row.largest_difference < 1e-4
        assert row.accuracy[0] == row.accuracy[1]
        assert row.macro_f1[0] == row.macro_f1[1]


def test_data_that_cannot_be_read_are_told_of_before_the_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(export_job, "export_run")
    with pytest.raises(DataError, match="no such file or folder"):
        export_and_time(run, tmp_path / "out", "torch", data=tmp_path / "none.npy")
    assert not (tmp_path / "out").exists()
