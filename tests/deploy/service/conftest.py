"""A tiny run with every kind of stream, a recording of each, and a service of it in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from maestro_ts.deploy.service.predicting import Predicting

# Without the extra 'serve' none of these tests can be imported.
if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "prometheus_client", "httpx")):
    collect_ignore_glob = ["test_*.py"]

SENSORS = (
    Modality("acc", channels=3, rate_hz=16.0, unit="g", device="wrist"),
    Modality("age", static=True),
    Modality("eda", rate_hz=4.0, device="wrist"),
    Modality("steps", device="phone"),
)
WINDOW_S = 4.0


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that tells two classes by the level of acc."""
    rng = np.random.default_rng(0)
    n = 24
    y = np.arange(n) % 2
    acc = rng.normal(0, 0.3, (n, 64, 3)) + y[:, None, None]
    stamps = [np.sort(rng.uniform(0, WINDOW_S, 12)) for _ in range(n)]
    windows = Windows.from_arrays(
        {
            "acc": acc,
            "age": rng.uniform(20, 70, (n, 1, 1)),
            "eda": rng.normal(size=(n, 16, 1)),
            "steps": [rng.normal(size=(12, 1)) for _ in range(n)],
        },
        SENSORS,
        times={"steps": stamps},
        duration_s=WINDOW_S,
        labels=np.array(["rest", "walk"])[y],
    )
    settings = {"training.epochs": 4, "symbols.dictionary": 1}
    clf = MaestroClassifier(recipe="tiny", settings=settings, random_state=0)
    place = tmp_path_factory.mktemp("served") / "run"
    clf.fit(windows, windows.labels).save(place)
    return place


@pytest.fixture(scope="session")
def run(folder: Path) -> ServedRun:
    return ServedRun.load(folder)


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """A JSON body with one recording of all four sensors."""

    def make(seconds: float = 10.0, seed: int = 0) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        acc = np.round(rng.normal(size=(round(16 * seconds), 3)), 3).tolist()
        acc[5][1] = None
        times = np.round(np.sort(rng.uniform(0, seconds, round(3 * seconds))), 3)
        streams = {
            "acc": {"rate_hz": 16.0, "values": acc},
            "age": {"values": [[41.0]]},
            "eda": {"rate_hz": 4.0, "values": rng.normal(size=round(4 * seconds)).tolist()},
            "steps": {"times": times.tolist(), "values": rng.normal(size=len(times)).tolist()},
        }
        return {"recordings": [{"name": "one", "subject": "S1", "streams": streams}]}

    return make


@pytest.fixture
def serving(run: ServedRun) -> Iterator[Callable[..., tuple[FastAPI, Predicting]]]:
    """Make an application and what is behind it; all are closed at the end."""
    from maestro_ts.deploy.service.app import create_app
    from maestro_ts.deploy.service.limits import Limits
    from maestro_ts.deploy.service.predicting import Predicting

    made: list[Predicting] = []

    def make(
        model: Any = None, token: str | None = None, **limits: Any
    ) -> tuple[FastAPI, Predicting]:
        used = run if model is None else replace(run, model=model)
        made.append(Predicting(used, Limits(**limits)))
        return create_app(made[-1], token=token), made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def client(serving: Callable[..., tuple[FastAPI, Predicting]]) -> TestClient:
    from fastapi.testclient import TestClient

    return TestClient(serving()[0], raise_server_exceptions=False)
