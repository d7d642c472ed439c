"""What TensorBoard and MLflow are told, by stand-ins with the few calls that are used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from maestro_ts.errors import MissingExtraError
from maestro_ts.training.callbacks import Callback, EpochReport
from maestro_ts.training.mlflow_callback import MLflowCallback
from maestro_ts.training.tensorboard_callback import TensorBoardCallback

FIRST = EpochReport(
    epoch=1,
    epochs=2,
    step=2,
    steps=4,
    loss=0.5,
    validation_loss=0.7,
    validation_f1=0.9,
    learning_rate=0.01,
    mean_budget=None,
    seconds=1.0,
    best=True,
)
UNTESTED = replace(FIRST, epoch=2, step=4, loss=0.25, validation_loss=None, validation_f1=None)

Said = list[tuple[Any, ...]]


def trained(callback: Callback, done: int = 0) -> None:
    callback.on_begin(4, done)
    callback.on_step(1, 4, 0.6)
    callback.on_epoch(FIRST)
    callback.on_epoch(UNTESTED)
    callback.on_end()


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Said:
    said: Said = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int | None) -> None:
            said.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            said.append((name, value, step))

        def flush(self) -> None:
            pass

        def close(self) -> None:
            said.append(("closed",))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return said


def test_tensorboard_is_told_every_step_and_what_each_epoch_measured(board: Said) -> None:
    trained(TensorBoardCallback("events"))
    assert board == [
        ("events", None),
        ("step/loss", 0.6, 1),
        ("epoch/loss", 0.5, 2),
        ("epoch/validation_loss", 0.7, 2),
        ("epoch/validation_f1", 0.9, 2),
        ("epoch/learning_rate", 0.01, 2),
        ("epoch/loss", 0.25, 4),
        ("epoch/learning_rate", 0.01, 4),
        ("closed",),
    ]


def test_what_a_resumed_training_repeats_is_not_shown_twice(board: Said) -> None:
    trained(TensorBoardCallback("events"), done=2)
    assert board[0] == ("events", 3)


class MLflow:
    def __init__(self, running: bool) -> None:
        self.running = running
        self.said: Said = []

    def active_run(self) -> SimpleNamespace | None:
        return SimpleNamespace() if self.running else None

    def start_run(self) -> None:
        self.said.append(("started",))

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.said.append((metrics, step))

    def end_run(self) -> None:
        self.said.append(("ended",))


@pytest.mark.parametrize("running", [True, False])
def test_mlflow_gets_a_run_only_where_there_is_none(
    running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = MLflow(running)
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    trained(MLflowCallback())
    measured: Said = [
        (
            {"loss": 0.5, "validation_loss": 0.7, "validation_f1": 0.9, "learning_rate": 0.01},
            2,
        ),
        ({"loss": 0.25, "learning_rate": 0.01}, 4),
    ]
    assert mlflow.said == (measured if running else [("started",), *measured, ("ended",)])


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("torch.utils.tensorboard", lambda: TensorBoardCallback("events")),
        ("mlflow", MLflowCallback),
    ],
)
def test_without_the_package_one_line_says_how_to_get_it(
    module: str, make: Callable[[], Callback], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-ts\[track\]"'):
        trained(make())
