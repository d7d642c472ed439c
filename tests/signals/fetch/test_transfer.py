from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from owner_server import (
    Server,
    cut,
    mute,
    owner_server,
    redirect,
    silent,
    status,
    trickle,
    unannounced,
)

from maestro_ts.errors import DownloadError, RunError
from maestro_ts.signals.datasets.card import Download
from maestro_ts.signals.fetch import transfer as module
from maestro_ts.signals.fetch.transfer import Patience, asked_size, transfer

CONTENT = bytes(range(256)) * 400
HASTY = Patience(attempts=3, pause_s=0.0, connect_s=5.0, silent_s=10.0)
HURRIED = replace(HASTY, silent_s=0.4)


@pytest.fixture
def offered(server: Server) -> Download:
    server.files["/a.zip"] = CONTENT
    return Download(server.url("/a.zip"), "a.zip")


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_comes_whole_and_tells_its_progress(offered: Download, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = transfer(offered, tmp_path / "a.zip", lambda *now: told.append(now), HASTY)
    assert path == tmp_path / "a.zip.partial"
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["a.zip.partial"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_cut_connection_is_gone_on_with(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [cut(1000), cut(500)]
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_later_call_goes_on_where_the_first_gave_up(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [cut(1000), status(503), status(503)]
    with pytest.raises(DownloadError, match="answers 503 after 3 attempts") as caught:
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    assert "1000 bytes are kept" in caught.value.fix
    assert caught.value.where == offered.url
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert server.asked[-1] == ("/a.zip", "bytes=1000-")


def test_a_server_without_ranges_begins_anew(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.ranges = False
    server.faults = [cut(1000)]
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("version", ['"v2"', None])
def test_parts_of_two_versions_are_never_joined(
    version: str | None, offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [cut(1000), *[status(503)] * 2]
    with pytest.raises(DownloadError):
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    changed = CONTENT[::-1] + b"longer"
    server.files["/a.zip"], server.version = changed, version
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == changed


def test_without_a_tag_the_length_must_be_the_same(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.version = None
    server.faults = [cut(1000)]
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=1000-"
    server.faults = [cut(1000), *[status(503)] * 2]
    with pytest.raises(DownloadError):
        transfer(offered, tmp_path / "b.zip", patience=HASTY)
    server.files["/a.zip"] = changed = CONTENT[::-1] + b"longer"
    assert transfer(offered, tmp_path / "b.zip", patience=HASTY).read_bytes() == changed


@pytest.mark.parametrize("note", ["", "{", "[]", '{"bytes": "many", "version": ""}'])
def test_a_part_of_unknown_origin_is_not_gone_on_with(
    note: str, offered: Download, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.partial").write_bytes(b"something else")
    (tmp_path / "a.zip.partial.json").write_text(note)
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert server.asked == [("/a.zip", None)]


def test_a_part_longer_than_the_file_is_dropped(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.partial").write_bytes(CONTENT * 2)
    about = {"bytes": len(CONTENT), "version": '"v1"'}
    (tmp_path / "a.zip.partial.json").write_text(json.dumps(about))
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT


def test_a_file_of_unstated_length(offered: Download, server: Server, tmp_path: Path) -> None:
    server.faults = [unannounced]
    told: list[tuple[int, int | None]] = []
    path = transfer(offered, tmp_path / "a.zip", lambda *now: told.append(now), HASTY)
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), None)


@pytest.mark.parametrize("code", [401, 403, 404, 410, 418])
def test_a_refusal_is_not_asked_again(
    code: int, offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [status(code)]
    with pytest.raises(DownloadError, match=f"answers {code}") as caught:
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    assert "page" in caught.value.fix
    assert len(server.asked) == 1
    assert files(tmp_path) == []


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again(
    code: int, offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [status(code), status(code)]
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    server.faults = [status(code)] * 3
    with pytest.raises(DownloadError, match=f"answers {code} after 3 attempts"):
        transfer(offered, tmp_path / "b.zip", patience=HASTY)


def test_the_pause_doubles(
    offered: Download, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    server.faults = [status(500)] * 4
    with pytest.raises(DownloadError):
        transfer(offered, tmp_path / "a.zip", patience=Patience(attempts=4, pause_s=0.5))
    assert slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("fault", [silent, mute])
def test_a_silent_server_is_given_up(
    fault: Any, offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [fault] * 3
    with pytest.raises(DownloadError, match="silent after 3 attempts"):
        transfer(offered, tmp_path / "a.zip", patience=HURRIED)


def test_a_silent_server_is_gone_on_with(offered: Download, server: Server, tmp_path: Path) -> None:
    server.faults = [silent]
    assert transfer(offered, tmp_path / "a.zip", patience=HURRIED).read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={len(CONTENT) // 5}-"


def test_a_server_that_trickles_is_given_up(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [trickle]
    once = Patience(attempts=1, silent_s=1.0, stall_s=0.3)
    with pytest.raises(DownloadError, match=r"the server sent \d+ bytes in \d+ s"):
        transfer(offered, tmp_path / "a.zip", patience=once)
    assert 0 < (tmp_path / "a.zip.partial").stat().st_size < 100


def test_nobody_listens(tmp_path: Path) -> None:
    with owner_server() as gone:
        url = gone.url("/a.zip")
    with pytest.raises(DownloadError, match="cannot be reached after 3 attempts"):
        transfer(Download(url, "a.zip"), tmp_path / "a.zip", patience=HASTY)
    assert asked_size(Download(url, "a.zip"), HASTY) is None


# ------------------------------------------------------------------- redirects


def test_a_redirect_on_the_same_host_is_followed(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [redirect("/a.zip")] * 3
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT


def test_a_redirect_to_a_named_host_is_followed(
    offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [redirect(server.url("/a.zip", host="localhost"))]
    named = Download(offered.url, "a.zip", hosts=("localhost",))
    assert transfer(named, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://localhost/a.zip", "another host, localhost"),
        ("https://elsewhere.example/a.zip", "another host, elsewhere.example"),
        ("http://127.0.0.1@elsewhere.example/a.zip", "another host, elsewhere.example"),
        ("file:///etc/passwd", "not https"),
        ("ftp://127.0.0.1/a.zip", "not https"),
    ],
)
def test_a_redirect_elsewhere_is_refused(
    url: str, says: str, offered: Download, server: Server, tmp_path: Path
) -> None:
    server.faults = [redirect(url)]
    with pytest.raises(DownloadError, match=says) as caught:
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    assert caught.value.where == offered.url
    assert len(server.asked) == 1
    assert files(tmp_path) == []


def test_https_is_never_left_for_http() -> None:
    card = Download("https://owner.example/a.zip", "a.zip")
    module._check_redirect("https://owner.example/b.zip", card)
    with pytest.raises(DownloadError, match="not https"):
        module._check_redirect("http://owner.example/a.zip", card)


def test_endless_redirects_end(offered: Download, server: Server, tmp_path: Path) -> None:
    server.faults = [redirect("/a.zip")] * 20
    with pytest.raises(DownloadError, match="more than 5 redirects"):
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    assert len(server.asked) == 6


# ------------------------------------------------------------------------ room


def test_a_full_disk_keeps_what_came(
    offered: Download, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="cannot write: No space left on device") as caught:
            transfer(offered, tmp_path / "a.zip", patience=HASTY)
    assert "fetch again" in caught.value.fix
    assert len(server.asked) == 1
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_file_for_which_there_is_no_room_is_not_begun(
    offered: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(RunError, match=f"{len(CONTENT)} bytes are to come, 1000 are free"):
        transfer(offered, tmp_path / "a.zip", patience=HASTY)


def test_what_is_too_large_is_refused(
    offered: Download, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(DownloadError, match="at most 1000 are fetched"):
        transfer(offered, tmp_path / "a.zip", patience=HASTY)
    server.faults = [unannounced]
    with pytest.raises(DownloadError, match="more than it announced"):
        transfer(offered, tmp_path / "b.zip", patience=HASTY)


def test_an_interruption_keeps_what_came(offered: Download, server: Server, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer(offered, tmp_path / "a.zip", stop, HASTY)
    kept = (tmp_path / "a.zip.partial").stat().st_size
    assert 1000 < kept < len(CONTENT)
    assert transfer(offered, tmp_path / "a.zip", patience=HASTY).read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={kept}-"


def test_the_server_states_a_size(offered: Download, server: Server) -> None:
    assert asked_size(offered, HASTY) == len(CONTENT)
    assert asked_size(Download(server.url("/no.zip"), "no.zip"), HASTY) is None


@given(content=st.binary(max_size=3000), cuts=st.lists(st.integers(0, 1500), max_size=3))
def test_wherever_the_line_is_cut_the_file_is_the_same(content: bytes, cuts: list[int]) -> None:
    from tempfile import TemporaryDirectory

    with owner_server() as server, TemporaryDirectory() as folder:
        server.files["/f"] = content
        server.faults = [cut(n) for n in cuts]
        patience = Patience(attempts=5, pause_s=0.0, silent_s=2.0)
        path = transfer(Download(server.url("/f"), "f"), Path(folder) / "f", patience=patience)
        assert path.read_bytes() == content
