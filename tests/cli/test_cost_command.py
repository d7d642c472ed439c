"""``maestro-ts cost``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from running import Command, refused

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.cost import count_parameters
from maestro_ts.evaluation.pattern_cost import MissingCost, ModalityCost
from maestro_ts.experiments import cost_job
from maestro_ts.experiments.cost_job import PassCost, RunCost, Timing
from maestro_ts.testing.windows_generator import random_windows


@pytest.fixture
def run(tmp_path: Path) -> Path:
    windows = random_windows({"acc": 32.0, "eda": 4.0}, 12)
    settings = {"training.epochs": 1}
    clf = MaestroClassifier(recipe="tiny", settings=settings, random_state=0)
    clf.fit(windows, windows.labels).save(tmp_path / "run")
    return tmp_path / "run"


def test_costs_of_a_run(run: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "figures" / "cost.json"
    done = command("cost", run, "--batch", 8, "--rounds", 1, "--json", out)
    assert (done.code, done.err) == (0, "")
    found = json.loads(out.read_text())
    assert set(found) == set(RunCost.__dataclass_fields__)
    assert found["parameters"] == count_parameters(MaestroClassifier.load(run).network_)
    assert found["macs"] == sum(found["components"].values())
    assert [(r["missing"], r["patterns"]) for r in found["by_missing"]] == [(0, 1), (1, 2)]
    assert found["by_missing"][0]["macs"] == found["macs"]
    assert [r["modality"] for r in found["by_modality"]] == ["acc", "eda"]
    assert [p["windows"] for p in found["passes"]] == [1, 8]
    for p in found["passes"]:
        for part in ("network", "front_end"):
            assert 0 < p[part]["low_s"] <= p[part]["median_s"] <= p[part]["high_s"] < 5
    assert (found["threads"], found["rounds"]) == (1, 1)
    if sys.platform == "linux":
        assert 5e7 < found["resident_bytes"] < 5e9
        assert 0 <= found["passes"][0]["added_bytes"] <= found["passes"][1]["added_bytes"] < 1e9
    assert f"{found['parameters']:,} parameters" in done.out
    assert f"{found['macs']:,} multiply-accumulates" in done.out
    assert all(name in done.out for name in found["components"])


def test_what_cannot_be_costed(run: Path, tmp_path: Path, command: Command) -> None:
    refused(command("cost", tmp_path / "no"), "no such run folder")
    refused(command("cost", tmp_path), "not a run folder")
    assert command("cost", run, "--batch", 0).code == 2
    (run / "model.safetensors").write_bytes(b"x")
    refused(command("cost", run), "the weights do not fit this run")


CANNED = RunCost(
    run="runs/x",
    parameters=1234567,
    macs=4000000,
    components={"embedding": 1000000, "head": 3000000},
    by_missing=[MissingCost(0, 1, 4e6, 4000000, 4000000), MissingCost(1, 2, 2e6, 1500000, 2500000)],
    by_modality=[ModalityCost("acc", 2500000, 1500000), ModalityCost("eda", 1500000, 2500000)],
    passes=[
        PassCost(1, Timing(0.0004, 0.0003, 0.0005), Timing(0.00789, 0.0078, 0.0081), 15_200_000),
        PassCost(64, Timing(0.02, 0.02, 0.021), Timing(0.1543, 0.149, 0.168), None),
    ],
    resident_bytes=401_000_000,
    threads=2,
    rounds=5,
    versions={},
)
PRINTED = """\
1,234,567 parameters
4,000,000 multiply-accumulates (MACs) of a window with everything present

component  MACs  share
----------------------
embedding  1 M   25.0%
head       3 M   75.0%

sensors missing  mean MACs  range          patterns
---------------------------------------------------
0                4 M                       1
1                2 M        1.5 M – 2.5 M  2

sensor  its own MACs  alone
---------------------------
acc     2.5 M         1.5 M
eda     1.5 M         2.5 M

on the CPU  network, ms [quartiles]  front end, ms [quartiles]  memory
-----------------------------------------------------------------------
1 window    7.89 [7.8, 8.1]          0.4 [0.3, 0.5]             15 MB
64 windows  154 [149, 168]           20 [20, 21]                unknown
Threads: 2. Rounds: 5. Memory is what passes add at most to the 401 MB of program and model.
"""


def test_what_is_printed(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_job, "run_cost", lambda run, batch, rounds: CANNED)
    done = command("cost", "runs/x")
    assert (done.code, done.out) == (0, PRINTED)
    (tmp_path / "file").write_text("in the way")
    done = command("cost", "runs/x", "--json", tmp_path / "file" / "cost.json")
    assert done.code == 2
    assert "cannot write" in done.err


def test_a_pass_that_is_too_large_is_told(
    run: Path, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\necho 'MemoryError: no room' >&2\nexit 1\n")
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))
    refused(command("cost", run, "--batch", 8), "8 windows", "no room", "smaller --batch")
