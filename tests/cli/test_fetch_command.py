from __future__ import annotations

import hashlib
import io
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from owner_server import Server, cut, owner_server, status
from running import Command, refused

from maestro_ts.signals.datasets import DATASETS, card
from maestro_ts.signals.datasets.card import Card, Download
from maestro_ts.signals.fetch import dataset, transfer


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAESTRO_TS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    pauseless = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(transfer, "time", pauseless)


@pytest.fixture
def server() -> Iterator[Server]:
    with owner_server() as running:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a.csv", "1,2\n" * 40000)
        running.files["/strides.zip"] = buffer.getvalue()
        yield running


@pytest.fixture
def strides(server: Server, monkeypatch: pytest.MonkeyPatch) -> Card:
    """A registered set whose owner is the server of the test."""
    module = ModuleType("strides_set")
    about = replace(
        card("dsads"),
        name="strides",
        licence="only for walkers",
        page=server.url("/"),
        downloads=(Download(server.url("/strides.zip"), "walks.zip"),),
    )
    module.CARD = about  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "strides_set", module)
    monkeypatch.setitem(DATASETS, "strides", "strides_set")
    return about


FETCH = ("datasets", "fetch")


@pytest.mark.usefixtures("strides")
def test_a_set_is_fetched_after_its_licence(
    server: Server, tmp_path: Path, command: Command
) -> None:
    done = command(*FETCH, "strides", "--to", tmp_path, "--accept-licence", "--no-progress")
    assert done.code == 0
    content = server.files["/strides.zip"]
    assert (tmp_path / "strides.zip").read_bytes() == content
    for said in ("only for walkers", "0.2 MB", "no checksum published", "a later fetch compares"):
        assert said in done.out
    assert f"SHA-256 of walks.zip: {hashlib.sha256(content).hexdigest()}" in done.out
    assert f"--data {tmp_path / 'strides.zip'} (for strides)" in done.out
    assert "walks.zip (MB): 1/1" in done.err
    again = command(*FETCH, "strides", "--to", tmp_path)
    assert again.code == 0
    assert "is here already" in again.out
    assert len(server.asked) == 1
    listed = command("datasets", "list", "--data", tmp_path)
    (row,) = [line for line in listed.out.splitlines() if line.startswith("strides ")]
    assert row.split()[-5:-3] == ["strides.zip", "fetch"]


@pytest.mark.usefixtures("strides")
def test_without_the_licence_nothing_is_fetched(
    server: Server, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command(*FETCH, "strides", "--to", tmp_path)
    assert done.code == 2
    assert "the licence of strides is not accepted" in done.err
    assert "--accept-licence" in done.err
    assert "only for walkers" in done.out
    for answer, code in (("n\n", 1), ("y\n", 0)):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        assert server.asked == []
        assert command(*FETCH, "strides", "--to", tmp_path).code == code
    assert len(server.asked) == 1


@pytest.mark.usefixtures("strides")
def test_the_folder_is_that_of_the_environment(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_TS_DATA", str(tmp_path / "data"))
    assert command(*FETCH, "strides", "--accept-licence").code == 0
    assert (tmp_path / "data" / "strides.zip").exists()
    about = command("datasets", "info", "strides").out
    assert f"data here: strides.zip (in {tmp_path / 'data'})" in about
    assert "maestro-ts datasets fetch strides" in about


@pytest.mark.usefixtures("strides")
def test_what_the_server_refuses_is_one_message(
    server: Server, tmp_path: Path, command: Command
) -> None:
    server.faults = [status(404)]
    done = command(*FETCH, "strides", "--to", tmp_path, "--accept-licence")
    assert done.code == 2
    message = done.err.splitlines()[-1]
    assert message.startswith("Error: ")
    assert "answers 404" in message
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("strides")
def test_an_interruption_says_how_to_go_on(
    server: Server, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    server.faults = [cut(1000)]
    interrupted = SimpleNamespace(sleep=interrupt, monotonic=time.monotonic)
    words = (*FETCH, "strides", "--to", tmp_path, "--accept-licence")
    with monkeypatch.context() as patched:
        patched.setattr(transfer, "time", interrupted)
        done = command(*words)
    assert done.code == 130
    assert "go on with" in done.err
    assert "datasets fetch strides" in done.err
    assert (tmp_path / "strides-download" / "walks.zip.partial").stat().st_size == 1000
    assert command(*words).code == 0
    assert server.asked[-1] == ("/strides.zip", "bytes=1000-")


@pytest.mark.usefixtures("strides")
def test_without_the_extra_nobody_is_asked(
    server: Server, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "find_spec", lambda name: None)
    done = command(*FETCH, "strides", "--to", tmp_path)
    refused(done, 'pip install "maestro-ts[download]"')
    assert server.asked == []


@pytest.mark.parametrize("name", [n for n in DATASETS if not card(n).downloads])
def test_what_only_a_person_can_get_is_explained(
    name: str, tmp_path: Path, command: Command
) -> None:
    done = command(*FETCH, name, "--to", tmp_path)
    assert done.code == 0
    assert card(name).how_to_get in done.out
    assert card(name).licence in done.out
    assert card(name).page in done.out
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_set_proposes_its_neighbours(command: Command) -> None:
    refused(command(*FETCH, "wesda"), "'wesda'", "wesad")
