"""Two processes, started as torchrun does: one is the test's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from own_data import study
from running import Command, refused

ALONE = {"RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "2"}
# No dropout, which each process draws for itself; batches that do not divide by two, a price of the
# budgets and experts whose balance counts tokens: all that has to be added up over the processes.
SETTINGS = [
    "model.dropout=0",
    "symbols.tokens=8",
    "training.batch_size=5",
    "training.epochs=3",
    "training.min_steps=0",
    "budget.price=0.05",
    "experts.placement=fusion",
    "experts.balance=loss_free",
]


def words(source: Path, out: Path) -> list[str]:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    rest = ["--recipe", "tiny", "--folds", "3", "--window-s", "2", "--rates", "0", "--threads", "1"]
    return ["fit", str(source), "--out", str(out), *rest, *settings]


def log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "training.jsonl").read_text().splitlines()]


def test_two_processes_learn_what_one_does(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = study(tmp_path / "study")
    assert command(*words(source, tmp_path / "one")).code == 0
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    torchrun = {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
    }
    for key, value in (ALONE | torchrun).items():
        monkeypatch.setenv(key, value)
    line = [sys.executable, "-m", "maestro_ts", *words(source, tmp_path / "two")]
    environment = {**os.environ, "RANK": "1", "LOCAL_RANK": "1"}
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as other:
        done = command(*words(source, tmp_path / "two"))
        said, _ = other.communicate()
    assert (done.code, other.returncode) == (0, 0), done.err + said
    assert "macro-F1" in done.out
    assert said == ""
    one, two = log(tmp_path / "one"), log(tmp_path / "two")
    assert len(one) == len(two) == 3
    for key in ("loss", "validation_loss", "mean_budget"):
        # Sums of float32 in another order; the loss itself falls by more than a hundredth.
        assert [e[key] for e in two] == pytest.approx([e[key] for e in one], rel=1e-5)
    assert one[0]["loss"] > 1.01 * one[-1]["loss"]


def test_only_fit_is_started_by_torchrun(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in (ALONE | {"TORCHELASTIC_RUN_ID": "test"}).items():
        monkeypatch.setenv(key, value)
    refused(command("pretrain", tmp_path), "only fit shares its work")
