from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maestro_ts.errors import RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.loop import Trainer
from maestro_ts.training.resume import TrainingState, load_state, save_state
from maestro_ts.training.run import Run

SENSORS = (Modality("acc", channels=3, rate_hz=20), Modality("eda", rate_hz=4))
PLAIN = {"training.epochs": 4, "training.batch_size": 16, "model.dropout": 0.2}
VARIANTS = {
    "plain": PLAIN,
    "average and rare validation": PLAIN
    | {"training.average_decay": 0.9, "training.evaluate_every": 2, "training.patience": 4},
    "loss-free balance and adam": PLAIN
    | {
        "experts.balance": "loss_free",
        "training.optimizer": "adam",
        "training.schedule": "constant",
    },
}


class Interrupted(Exception):
    pass


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, step: int, steps: int, loss: float) -> None:
        if step == self.step:
            raise Interrupted


def data() -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y, groups = np.arange(60) % 2, np.arange(60) // 10
    move = 0.7 * y[:, None, None]
    X = {"acc": rng.normal(size=(60, 40, 3)) + move, "eda": rng.normal(size=(60, 8, 1)) - move}
    return X, y, groups


def fit(
    settings: dict[str, Any],
    run: Run | None = None,
    *,
    resume: bool = False,
    stop_at: int | None = None,
    seed: int = 0,
) -> MaestroClassifier:
    X, y, groups = data()
    clf = MaestroClassifier(
        SENSORS,
        recipe="tiny",
        settings=settings,
        random_state=seed,
        callbacks=[] if stop_at is None else [StopAt(stop_at)],
    )
    return clf.fit(X, y, groups=groups, run=run, resume=resume)


def interrupted(folder: Path, settings: dict[str, Any] = PLAIN, step: int = 10) -> Run:
    run = Run(folder)
    run.begin()
    with pytest.raises(Interrupted):
        fit(settings, run, stop_at=step)
    return run


def same_weights(one: MaestroClassifier, two: MaestroClassifier) -> bool:
    a, b = one.network_.state_dict(), two.network_.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def untimed(clf: MaestroClassifier) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in clf.training_log_]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("step", [6, 10])  # four steps an epoch: in the second, in the third
def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(
    name: str, step: int, tmp_path: Path
) -> None:
    settings = VARIANTS[name]
    run = interrupted(tmp_path / "run", settings, step)
    assert load_state(run.state).plain["step"] == 4 * ((step - 1) // 4)
    resumed, whole = fit(settings, run, resume=True), fit(settings)
    assert same_weights(resumed, whole)
    assert untimed(resumed) == untimed(whole)


def test_the_best_epoch_may_lie_before_the_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {1: 0.1, 2: 0.9, 3: 0.5, 4: 0.4}
    monkeypatch.setattr(Trainer, "_validate", lambda self, held: (scores[self.epoch], 1.0))
    run = interrupted(tmp_path / "run", step=10)
    resumed, whole = fit(PLAIN, run, resume=True), fit(PLAIN)
    assert [row["best"] for row in resumed.training_log_] == [True, True, False, False]
    assert same_weights(resumed, whole)
    monkeypatch.undo()
    assert not same_weights(resumed, fit(PLAIN | {"training.validation_share": 0.0}))


def test_a_resumed_training_holds_no_memory_of_its_state_file(tmp_path: Path) -> None:
    """Tensors that lie in a mapped file change, or crash the process, when the file does."""
    run = interrupted(tmp_path / "run")
    state = load_state(run.state)
    before = {key: value.clone() for key, value in state.tensors.items()}
    size = run.state.stat().st_size
    with open(run.state, "r+b") as opened:
        opened.write(b"\xff" * size)
    assert all(torch.equal(state.tensors[key], before[key]) for key in before)


def test_a_training_interrupted_twice_ends_with_the_same_weights(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run", step=6)
    with pytest.raises(Interrupted):
        fit(PLAIN, run, resume=True, stop_at=11)
    assert same_weights(fit(PLAIN, run, resume=True), fit(PLAIN))


def test_interrupted_in_the_first_epoch_it_begins_anew(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run", step=2)
    assert not run.state.exists()
    assert same_weights(fit(PLAIN, run, resume=True), fit(PLAIN))


def test_resuming_a_finished_training_changes_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin()
    whole = fit(PLAIN, run)
    resumed = fit(PLAIN, run, resume=True, stop_at=1)
    assert same_weights(whole, resumed)
    assert len(resumed.training_log_) == 4


def test_without_resume_a_state_that_lies_there_is_not_read(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    run.state.write_bytes(b"rubbish")
    assert same_weights(fit(PLAIN, run), fit(PLAIN))


def test_callbacks_are_told_where_a_resumed_training_begins(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    told: list[tuple[int, int]] = []

    class Begin(Callback):
        def on_begin(self, steps: int, done: int) -> None:
            told.append((steps, done))

    X, y, groups = data()
    clf = MaestroClassifier(
        SENSORS, recipe="tiny", settings=PLAIN, random_state=0, callbacks=[Begin()]
    )
    clf.fit(X, y, groups=groups, run=run, resume=True)
    assert told == [(16, 8)]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
import os, signal
from pathlib import Path
import test_resume as t
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.run import Run

class Kill(Callback):
    def on_step(self, step, steps, loss):
        if step == 10:
            os.kill(os.getpid(), signal.SIGKILL)

run = Run(Path(sys.argv[3]))
if sys.argv[2] == "killed":
    X, y, groups = t.data()
    clf = t.MaestroClassifier(
        t.SENSORS, recipe="tiny", settings=t.PLAIN, random_state=0, callbacks=[Kill()]
    )
    run.begin()
    clf.fit(X, y, groups=groups, run=run)
else:
    t.fit(t.PLAIN, run, resume=True).save(Path(sys.argv[3] + "-resumed"))
    t.fit(t.PLAIN).save(Path(sys.argv[3] + "-whole"))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_process_is_resumed_by_a_fresh_one_to_the_same_weights(tmp_path: Path) -> None:
    def process(what: str) -> int:
        here, folder = str(Path(__file__).parent), str(tmp_path / "run")
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", SCRIPT, here, what, folder]
        return subprocess.run(command, env=environment, timeout=120).returncode

    assert process("killed") == -signal.SIGKILL
    assert load_state(Run(tmp_path / "run").state).plain["epoch"] == 2
    assert process("resumed") == 0
    resumed, whole = (
        load_file(tmp_path / f"run-{n}/model.safetensors") for n in ("resumed", "whole")
    )
    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


@pytest.mark.parametrize("damage", ["cut", "rubbish", "empty", "no header"])
def test_a_damaged_state_is_a_run_error(damage: str, tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    if damage == "no header":
        save_file({"network/x": torch.zeros(1)}, run.state)
    else:
        whole = run.state.read_bytes()
        run.state.write_bytes({"cut": whole[:-100], "rubbish": b"x" * 999, "empty": b""}[damage])
    with pytest.raises(RunError, match="cannot resume") as caught:
        fit(PLAIN, run, resume=True)
    assert str(run.state) in str(caught.value)


def test_a_state_that_lacks_an_entry_is_a_run_error(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    state = load_state(run.state)
    del state.plain["masks"]
    save_state(run.state, state)
    with pytest.raises(RunError, match="does not fit"):
        fit(PLAIN, run, resume=True)


def test_a_state_of_another_network_is_a_run_error(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    with pytest.raises(RunError, match="does not fit"):
        fit(PLAIN | {"model.width": 32}, run, resume=True)


def test_a_state_of_another_seed_or_length_is_refused(tmp_path: Path) -> None:
    run = interrupted(tmp_path / "run")
    with pytest.raises(RunError, match=r"another training: seed 0, 16 steps; here seed 1"):
        fit(PLAIN, run, resume=True, seed=1)
    with pytest.raises(RunError, match=r"16 steps; here seed 0, 20 steps"):
        fit(PLAIN | {"training.epochs": 5}, run, resume=True)


def test_a_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    state = TrainingState(
        {"network/a/b": torch.randn(3, 2), "generator": torch.Generator().get_state()},
        {"order": rng.bit_generator.state, "best_score": [float("-inf"), -0.1], "log": []},
    )
    save_state(tmp_path / "state.safetensors", state)
    back = load_state(tmp_path / "state.safetensors")
    assert back.plain == state.plain
    assert back.tensors.keys() == state.tensors.keys()
    assert all(torch.equal(back.tensors[key], state.tensors[key]) for key in state.tensors)
    assert list(back.group("network")) == ["a/b"]


def test_the_recipe_of_these_tests_draws_in_every_place_that_can() -> None:
    recipe = load_recipe("tiny").override(PLAIN)
    assert recipe.model.dropout > 0
    assert recipe.curriculum.segment_probability > 0
    assert recipe.curriculum.modality_max > 0
