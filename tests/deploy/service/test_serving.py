"""The application: answers, limits, tokens, counters."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from maestro_ts.deploy.service.bodies import JSON, read_body
from maestro_ts.deploy.service.predicting import Predicting
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.windows import Windows

Body = Callable[..., dict[str, Any]]
Serving = Callable[..., tuple[FastAPI, Predicting]]


class Slow:
    """The run's model, held until it is let go."""

    def __init__(self, run: ServedRun) -> None:
        self._model, self.free = run.model, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def explain(self, windows: Windows) -> Prediction:
        assert self.free.wait(20)
        return self._model.explain(windows)


def counter(client: TestClient, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_an_answer_is_what_the_model_says(client: TestClient, run: ServedRun, body: Body) -> None:
    asked = body()
    answer = client.post("/v1/predict", json=asked)
    assert answer.status_code == 200
    (found,) = answer.json()["recordings"]
    known = read_body(json.dumps(asked).encode(), JSON, run.inputs)
    windows = run.windows(known.recordings)
    expected = run.model.explain(windows)
    assert (found["name"], found["subject"]) == ("one", "S1")
    assert [w["start_s"] for w in found["windows"]] == windows.start_s.tolist()
    given = np.array([[w["probabilities"][c] for c in run.classes] for w in found["windows"]])
    np.testing.assert_allclose(given, expected.probabilities, atol=1e-6)
    budgets = np.array([[w["budgets"][n] for n in run.inputs.names] for w in found["windows"]])
    np.testing.assert_allclose(budgets, expected.budgets, atol=1e-5)
    for i, window in enumerate(found["windows"]):
        assert window["class"] == run.classes[given[i].argmax()]
        assert window["present"] == list(run.inputs.names)
        assert window["nothing_present"] is False


def test_sensors_are_switched_off_by_query_or_body(client: TestClient, body: Body) -> None:
    query = client.post("/v1/predict?off=acc&off=age", json=body()).json()
    assert query == client.post("/v1/predict", json=body() | {"off": ["age", "acc"]}).json()
    without = body()
    for name in ("acc", "age"):
        del without["recordings"][0]["streams"][name]
    lacking = client.post("/v1/predict", json=without).json()["recordings"][0]["windows"]
    assert lacking == query["recordings"][0]["windows"][: len(lacking)]
    assert all(w["present"] == ["eda", "steps"] for w in lacking)
    assert counter(client, 'maestro_ts_windows_missing_total{modality="acc"}') == 6


def test_nothing_present_is_said(client: TestClient, body: Body) -> None:
    off = [("off", name) for name in ("acc", "age", "eda", "steps")]
    answer = client.post("/v1/predict", params=[*off, ("show", "timeline")], json=body()).json()
    (found,) = answer["recordings"]
    assert len(found["windows"]) == 2
    assert all(w["nothing_present"] and not w["budgets"] for w in found["windows"])
    assert [c["probabilities"] for c in found["timeline"]] == [None]
    assert counter(client, "maestro_ts_windows_without_sensor_total") == 2


def test_more_is_shown_when_asked_for(client: TestClient, run: ServedRun, body: Body) -> None:
    show = [("show", s) for s in ("timeline", "symbols", "signals")]
    answer = client.post("/v1/predict", params=[*show, ("off", "eda")], json=body()).json()
    (found,) = answer["recordings"]
    cells = found["timeline"]
    assert [(c["start_s"], c["end_s"]) for c in cells] == [(0, 4), (4, 8)]
    assert all(abs(sum(c["probabilities"]) - 1) < 1e-6 for c in cells)
    # What is switched off has its samples still, and no symbols.
    assert np.shape(found["signals"]["eda"]["values"]) == (1, 40)
    assert found["signals"]["acc"]["values"][1][5] is None
    first = found["symbols"][0]["views"]
    assert np.all(np.array(first["eda"]["level"]) == 0)
    assert np.min(first["acc"]["level"]) >= 0
    assert np.max(first["acc"]["level"]) > 1
    assert np.shape(first["acc"]["level"])[0] == 3
    plain = client.post("/v1/predict", json=body()).json()["recordings"][0]
    assert plain["timeline"] is plain["symbols"] is plain["signals"] is None


def test_a_long_recording_is_answered_in_parts(client: TestClient, body: Body) -> None:
    asked = body(700.0)
    found = client.post("/v1/predict", json=asked).json()["recordings"][0]["windows"]
    assert len(found) == 175
    assert counter(client, "maestro_ts_batch_windows_count") == 3
    assert counter(client, "maestro_ts_windows_total") == 175


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/predict", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/example", 404),
        ("POST", "/v1/predict?show=all", 422),
    ],
)
def test_other_requests_are_refused_in_the_same_shape(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json().keys() == {"what", "where", "fix"}


def test_paths_that_clients_make_up_are_one_label(client: TestClient) -> None:
    for i in range(5):
        client.get(f"/nowhere/{i}")
    assert counter(client, 'maestro_ts_requests_total{path="other",status="404"}') == 5


def test_a_token_guards_all_but_page_and_health(serving: Serving, body: Body) -> None:
    client = TestClient(serving(token="s3cret")[0])
    for path in ("/v1/model", "/metrics", "/v1/example"):
        assert client.get(path).status_code == 401
    assert client.get("/").status_code == client.get("/healthz").status_code == 200
    for wrong in ("s3cret", "Basic s3cret", "Bearer s3cre", "Bearer ü"):
        answer = client.post("/v1/predict", json=body(), headers={"Authorization": wrong.encode()})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    right = {"Authorization": b"Bearer s3cret"}
    assert client.post("/v1/predict", json=body(), headers=right).status_code == 200


# ------------------------------------------------------------------ limits


def test_a_large_body_is_refused(serving: Serving, body: Body) -> None:
    client = TestClient(serving(max_body_mb=0.01)[0])
    assert client.post("/v1/predict", json=body(1.0)).status_code == 422
    assert client.post("/v1/predict", json=body(60.0)).status_code == 413

    def chunks() -> Any:  # no length is declared
        yield from (b" " * 1000 for _ in range(100))

    answer = client.post("/v1/predict", content=chunks(), headers={"Content-Type": JSON})
    assert answer.status_code == 413
    assert "larger than 0.01 MB" in answer.json()["what"]


def in_process(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service", timeout=20)


def test_a_slow_body_and_a_slow_model_run_out_of_time(
    serving: Serving, run: ServedRun, body: Body
) -> None:
    model = Slow(run)
    app, predicting = serving(model=model, timeout_s=0.2)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    async def ask() -> None:
        async with in_process(app) as client:
            answer = await client.post(
                "/v1/predict", content=slowly(), headers={"Content-Type": JSON}
            )
            assert answer.status_code == 408
            assert (await client.post("/v1/predict", json=body())).status_code == 504
            model.free.set()
            text = (await client.get("/metrics")).text
            assert 'maestro_ts_unanswered_total{reason="timeout"} 1.0' in text
            assert "maestro_ts_accepted_total 1.0" in text

    asyncio.run(ask())
    assert predicting.gate.inside == 0


def test_a_full_service_says_so_and_a_draining_one_finishes(
    serving: Serving, run: ServedRun, body: Body
) -> None:
    model = Slow(run)
    app, predicting = serving(model=model, max_concurrent=2)

    async def ask() -> None:
        async with in_process(app) as client:
            begun = [asyncio.create_task(client.post("/v1/predict", json=body())) for _ in range(2)]
            while predicting.metrics.accepted._value.get() < 2:
                await asyncio.sleep(0.01)
            full = await client.post("/v1/predict", json=body())
            assert (full.status_code, full.headers["retry-after"]) == (503, "1")
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            predicting.gate.drain()
            assert (await client.post("/v1/predict", json=body())).status_code == 503
            health = await client.get("/healthz")
            assert (health.status_code, health.json()) == (503, {"status": "draining"})
            text = (await client.get("/metrics")).text
            assert "maestro_ts_draining 1.0" in text
            assert "maestro_ts_in_progress 2.0" in text
            model.free.set()
            assert [(await task).status_code for task in begun] == [200, 200]

    asyncio.run(ask())
    assert predicting.metrics.summary() == "2 predictions accepted, 2 answered, 0 not."


def test_an_error_of_the_model_is_500_and_counted(
    serving: Serving, run: ServedRun, body: Body
) -> None:
    model = Slow(run)
    model.explain = lambda windows: 1 / 0  # type: ignore[method-assign,assignment]
    client = TestClient(serving(model=model)[0], raise_server_exceptions=False)
    answer = client.post("/v1/predict", json=body())
    assert answer.status_code == 500
    assert answer.json()["what"] == "an error of the service: ZeroDivisionError."
    assert counter(client, "maestro_ts_unanswered_total") == 1


def test_the_documented_request_is_answered(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "service.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    monkeypatch.setattr(httpx, "get", client.get)
    monkeypatch.setattr(httpx, "post", client.post)
    exec(compile(block, "service.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all("'acc'" not in line and "'eda'" in line for line in lines)
