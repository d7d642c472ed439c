"""The process: listens, finishes what it accepted, says what it did."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from maestro_ts.cli.main import main
from maestro_ts.deploy.service.limits import Limits
from maestro_ts.deploy.service.predicting import Predicting
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.deploy.service.server import Server, listen, read_token
from maestro_ts.errors import ConfigError, MissingExtraError, RunError

Body = Callable[..., dict[str, Any]]


def started(run: ServedRun) -> tuple[Server, Predicting, threading.Thread, str]:
    from maestro_ts.deploy.service.app import create_app

    predicting = Predicting(run, Limits())
    own = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(predicting), log_level="warning", access_log=False)
    server = Server(config, predicting)
    thread = threading.Thread(target=lambda: server.run(sockets=[own]), daemon=True)
    thread.start()
    return server, predicting, thread, f"http://127.0.0.1:{own.getsockname()[1]}"


def test_a_signal_in_the_middle_of_a_load_loses_nothing(run: ServedRun, body: Body) -> None:
    """Every request is either answered or was never accepted."""
    server, predicting, thread, url = started(run)
    asked, statuses, broken = body(6.0), list[int](), list[str]()
    over = threading.Event()

    def client() -> None:
        with httpx.Client(timeout=20) as http:
            while not over.is_set():
                try:
                    statuses.append(http.post(f"{url}/v1/predict", json=asked).status_code)
                except httpx.TransportError as error:
                    broken.append(type(error).__name__)
                    over.wait(0.02)

    clients = [threading.Thread(target=client) for _ in range(6)]
    for each in clients:
        each.start()
    deadline = time.monotonic() + 20
    while len(statuses) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    server.handle_exit(signal.SIGTERM, None)
    thread.join(20)
    assert not thread.is_alive()
    over.set()
    for each in clients:
        each.join(20)
    assert len(statuses) >= 20
    assert set(statuses) <= {200, 503}
    assert predicting.metrics.accepted._value.get() == statuses.count(200)
    assert predicting.metrics.answered._value.get() == statuses.count(200)
    # After the end nobody listens; a read that breaks off would be a lost answer.
    assert set(broken) <= {"ConnectError", "ReadError", "RemoteProtocolError"}


def test_a_second_signal_ends_at_once(run: ServedRun) -> None:
    server, predicting, thread, _ = started(run)
    predicting.gate.inside = 1  # as if one never ended
    server.handle_exit(signal.SIGTERM, None)
    thread.join(0.5)
    assert thread.is_alive()
    server.handle_exit(signal.SIGTERM, None)
    thread.join(10)
    assert not thread.is_alive()


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as own, pytest.raises(RunError, match="cannot listen"):
        listen("127.0.0.1", own.getsockname()[1])


@pytest.mark.parametrize("text", ["", "\nsecond", "é"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="no token"):
        read_token(tmp_path / "token")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path / "nowhere")


def test_the_token_is_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" s3cret \nmore\n")
    assert read_token(tmp_path / "token") == "s3cret"
    assert read_token(None) is None


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from maestro_ts.cli.serve import serve

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"maestro-ts\[serve\]"):
        serve(tmp_path)


def test_the_command_refuses_what_is_no_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["maestro-ts", "serve", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "not a run folder" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_serves_and_ends_with_its_sum(folder: Path, body: Body) -> None:
    command = [sys.executable, "-c", "from maestro_ts.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    url = process.stdout.readline().split(" at ")[1].strip()
    assert httpx.post(f"{url}v1/predict", json=body(), timeout=60).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline().strip() == "1 predictions accepted, 1 answered, 0 not."
    assert process.wait(30) == 0
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", httpx.URL(url).port)):
        pass
