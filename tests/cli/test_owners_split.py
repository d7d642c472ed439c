"""A data set with the owners' own split: one part trains, the other tests, AUROC is scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layout_physionet2012 import outcomes, stay
from layouts import write
from running import Command

from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import main_job

QUICK = (
    *("--recipe", "tiny", "--set", "training.epochs=2", "--threads", "1", "--no-progress"),
    *("--rates", "0,.4"),
)


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    """Twenty stays of set-a and ten of set-b; who dies has a faster heart."""
    rng = np.random.default_rng(0)
    members: dict[str, bytes] = {}
    for part, first, count in (("a", 1000, 20), ("b", 2000, 10)):
        deaths = {first + i: i % 2 for i in range(count)}
        members[f"Outcomes-{part}.txt"] = outcomes(deaths)
        for record, death in deaths.items():
            rows = [f"{h:02d}:00,HR,{70 + 40 * death + rng.integers(5)}" for h in range(1, 40, 2)]
            members[f"set-{part}/{record}.txt"] = stay(record, *rows, age=50 + record % 7)
    return write(members, tmp_path, "zip")


def test_the_owners_split_is_used_unless_folds_are_asked_for(
    stays: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        main_job, "write_report", lambda results, path, sensors: path.write_text("stub")
    )
    own, folds = tmp_path / "own", tmp_path / "folds"
    done = command("fit", "physionet2012", "--data", stays, "--out", own, *QUICK)
    assert done.code == 0
    assert "AUROC" in done.out.splitlines()[0]
    results = Results.load(own / "results.json")
    assert results.about["split"] == "the owners': set-a/ trains, set-b/ tests"
    assert results.about["subjects_test"] == [str(2000 + i) for i in range(10)]
    assert results.about["n_train"] + results.about["n_validation"] == 20
    assert all(0.0 <= row["auroc"] <= 1.0 and row["auprc"] > 0.0 for row in results.scores)

    done = command("evaluate", own, "--data", stays, "--rates", "0")
    assert done.code == 0
    assert Results.load(own / "results.json").scores[0]["auroc"] == results.scores[0]["auroc"]

    asked = command("fit", "physionet2012", "--data", stays, "--out", folds, "--folds", "3", *QUICK)
    assert asked.code == 0
    about = Results.load(folds / "results.json").about
    assert about["split"].startswith("GroupKFold(3")
    assert about["n_test"] == 10
