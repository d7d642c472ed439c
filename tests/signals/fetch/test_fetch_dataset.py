from __future__ import annotations

import errno
import hashlib
import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from owner_server import Server, cut, status

from maestro_ts.errors import DataError, DownloadError, FormatError, MissingExtraError, RunError
from maestro_ts.signals.datasets import card
from maestro_ts.signals.datasets.card import Card, Download
from maestro_ts.signals.fetch import Patience, dataset, fetch_dataset, join

HASTY = Patience(attempts=2, pause_s=0.0, silent_s=10.0)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


ARCHIVE = zipped(data__one=b"1" * 5000, data__two=os.urandom(3000))
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


def strides(*downloads: Download) -> Card:
    return replace(card("dsads"), name="strides", downloads=downloads)


@pytest.fixture
def one(server: Server) -> Card:
    """A set of one archive without a published checksum."""
    server.files["/x.zip"] = ARCHIVE
    return strides(Download(server.url("/x.zip"), "x.zip"))


def published(about: Card, sha256: str) -> Card:
    return strides(replace(about.downloads[0], sha256=sha256))


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_an_archive_lies_where_commands_look_for_it(one: Card, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    fetched = fetch_dataset(one, tmp_path / "new", lambda *now: told.append(now), HASTY)
    assert fetched.path == tmp_path / "new" / "strides.zip"
    assert fetched.path.read_bytes() == ARCHIVE
    assert fetched.new
    assert fetched.sha256 == {"x.zip": SHA256}
    assert tree(tmp_path / "new") == ["strides.zip", "strides.zip.sha256"]
    assert fetched.record.read_text() == f"{SHA256}  x.zip\n{SHA256}  strides.zip\n"
    assert told[-1] == ("x.zip", len(ARCHIVE), len(ARCHIVE))


def test_a_second_fetch_asks_nobody(one: Card, server: Server, tmp_path: Path) -> None:
    fetch_dataset(one, tmp_path, patience=HASTY)
    again = fetch_dataset(one, tmp_path, patience=HASTY)
    assert (again.new, again.sha256) == (False, {"x.zip": SHA256})
    assert len(server.asked) == 1


def test_an_archive_that_changed_on_the_disk_is_refused(one: Card, tmp_path: Path) -> None:
    path = fetch_dataset(one, tmp_path, patience=HASTY).path
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DataError, match="its SHA-256 differs") as caught:
        fetch_dataset(one, tmp_path, patience=HASTY)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["strides.zip", "strides"])
def test_ones_own_files_are_left_alone(
    name: str, one: Card, server: Server, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"mine")
    fetched = fetch_dataset(one, tmp_path, patience=HASTY)
    assert (fetched.path, fetched.new, fetched.sha256) == (tmp_path / name, False, {})
    assert server.asked == []
    assert tree(tmp_path) == [name]


def test_a_published_checksum_is_compared(one: Card, tmp_path: Path) -> None:
    fetched = fetch_dataset(published(one, SHA256), tmp_path, patience=HASTY)
    assert fetched.path.read_bytes() == ARCHIVE


def test_another_file_than_the_published_one_leaves_nothing(one: Card, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="does not match the known hash") as caught:
        fetch_dataset(published(one, "0" * 64), tmp_path, patience=HASTY)
    assert SHA256 in caught.value.what
    assert tree(tmp_path) == []


def test_another_file_than_the_first_time_is_refused_by_name(
    one: Card, server: Server, tmp_path: Path
) -> None:
    record = fetch_dataset(one, tmp_path, patience=HASTY).record
    (tmp_path / "strides.zip").unlink()
    server.files["/x.zip"] = zipped(data__one=b"new version")
    with pytest.raises(DownloadError, match="does not match") as caught:
        fetch_dataset(one, tmp_path, patience=HASTY)
    assert f"delete {record} and fetch again" in caught.value.fix
    assert tree(tmp_path) == ["strides.zip.sha256"]
    record.unlink()
    assert fetch_dataset(one, tmp_path, patience=HASTY).new


def test_a_damaged_record_is_named(one: Card, tmp_path: Path) -> None:
    for text in ("", "abc", f"{SHA256} x.zip", b"\xff\xfe"):
        path = tmp_path / "strides.zip.sha256"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(FormatError, match="no list of SHA-256") as caught:
            fetch_dataset(one, tmp_path, patience=HASTY)
        assert caught.value.where == str(path)


def test_a_page_instead_of_the_archive_is_refused_and_removed(
    one: Card, server: Server, tmp_path: Path
) -> None:
    server.files["/x.zip"] = b"<!DOCTYPE html><title>Please log in</title>"
    with pytest.raises(FormatError, match="no zip archive came; it begins with b'<!DOCTYPE"):
        fetch_dataset(one, tmp_path, patience=HASTY)
    assert tree(tmp_path) == []


def test_an_interruption_is_gone_on_with(one: Card, server: Server, tmp_path: Path) -> None:
    def stop(file: str, done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    server.faults = [cut(1000)]
    with pytest.raises(KeyboardInterrupt):
        fetch_dataset(one, tmp_path, stop, HASTY)
    assert tree(tmp_path) == [
        "strides-download",
        "strides-download/x.zip.partial",
        "strides-download/x.zip.partial.json",
    ]
    assert fetch_dataset(one, tmp_path, patience=HASTY).path.read_bytes() == ARCHIVE
    assert server.asked[-1][1] == "bytes=1000-"
    assert tree(tmp_path) == ["strides.zip", "strides.zip.sha256"]


def test_a_server_that_fails_leaves_nothing_under_the_final_name(
    one: Card, server: Server, tmp_path: Path
) -> None:
    server.faults = [cut(1000), status(500)]
    with pytest.raises(DownloadError, match="answers 500"):
        fetch_dataset(one, tmp_path, patience=HASTY)
    assert not (tmp_path / "strides.zip").exists()
    server.faults = [status(404)]
    with pytest.raises(DownloadError, match="answers 404"):
        fetch_dataset(strides(replace(one.downloads[0], file="y.zip")), tmp_path / "b")
    assert tree(tmp_path / "b") == []


def test_a_set_without_an_address_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be downloaded") as caught:
        fetch_dataset(card("umafall"), tmp_path)
    assert caught.value.fix == card("umafall").how_to_get


def test_without_pooch_the_line_that_installs_it_is_named(
    one: Card, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-ts\[download\]"'):
        fetch_dataset(one, tmp_path)
    assert (server.asked, tree(tmp_path)) == ([], [])


def test_a_folder_that_cannot_be_written_is_one_message(one: Card, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        fetch_dataset(one, tmp_path / "file", patience=HASTY)


# --------------------------------------------------------------- several files


@pytest.fixture
def three(server: Server) -> Card:
    """Two archives and a table, as PhysioNet offers the challenge of 2012."""
    server.files |= {
        "/set-a.zip": zipped(**{"set-a__1.txt": b"a" * 2000}),
        "/set-b.zip": zipped(**{"set-b__2.txt": b"b"}),
        "/Outcomes.txt": b"RecordID,death\n",
    }
    return strides(*(Download(server.url(path), path[1:]) for path in server.files))


def test_several_files_become_one_archive(three: Card, tmp_path: Path) -> None:
    fetched = fetch_dataset(three, tmp_path, patience=HASTY)
    with zipfile.ZipFile(fetched.path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "set-a/1.txt": b"a" * 2000,
            "set-b/2.txt": b"b",
            "Outcomes.txt": b"RecordID,death\n",
        }
    assert list(fetched.sha256) == ["set-a.zip", "set-b.zip", "Outcomes.txt"]
    assert tree(tmp_path) == ["strides.zip", "strides.zip.sha256"]
    assert not fetch_dataset(three, tmp_path, patience=HASTY).new


def test_files_that_are_there_are_not_fetched_again(
    three: Card, server: Server, tmp_path: Path
) -> None:
    server.files.pop("/Outcomes.txt")
    with pytest.raises(DownloadError, match="answers 404"):
        fetch_dataset(three, tmp_path, patience=HASTY)
    assert tree(tmp_path / "strides-download") == ["set-a.zip", "set-b.zip"]
    server.files["/Outcomes.txt"] = b"x"
    server.asked.clear()
    fetch_dataset(three, tmp_path, patience=HASTY)
    assert server.asked == [("/Outcomes.txt", None)]


def test_an_archive_in_an_archive_is_unwrapped(server: Server, tmp_path: Path) -> None:
    server.files["/x.zip"] = zipped(**{"data.zip": ARCHIVE, "readme.pdf": b"%PDF"})
    wrapped = strides(Download(server.url("/x.zip"), "x.zip", member="data.zip"))
    fetched = fetch_dataset(wrapped, tmp_path, patience=HASTY)
    assert fetched.path.read_bytes() == ARCHIVE
    assert fetched.sha256 == {"x.zip": hashlib.sha256(server.files["/x.zip"]).hexdigest()}
    missing = replace(wrapped, downloads=(replace(wrapped.downloads[0], member="raw.zip"),))
    with pytest.raises(FormatError, match=r"holds no raw\.zip"):
        fetch_dataset(missing, tmp_path / "b", patience=HASTY)
    assert tree(tmp_path / "b") == ["strides-download", "strides-download/x.zip"]


def test_a_damaged_archive_in_an_archive_is_named(server: Server, tmp_path: Path) -> None:
    outer = bytearray(zipped(**{"data.zip": b"x" * 100 + os.urandom(500)}))
    outer[200] ^= 255
    server.files["/x.zip"] = bytes(outer)
    wrapped = strides(Download(server.url("/x.zip"), "x.zip", member="data.zip"))
    with pytest.raises(FormatError, match=r"data\.zip: the member is damaged"):
        fetch_dataset(wrapped, tmp_path, patience=HASTY)
    assert not (tmp_path / "strides.zip").exists()


def test_members_that_leave_their_folder_are_refused(
    three: Card, server: Server, tmp_path: Path
) -> None:
    server.files["/set-b.zip"] = zipped(**{"..__evil.txt": b"x"})
    with pytest.raises(FormatError, match="evil"):
        fetch_dataset(three, tmp_path, patience=HASTY)
    assert not (tmp_path / "strides.zip").exists()


def test_members_of_one_name_are_refused(three: Card, server: Server, tmp_path: Path) -> None:
    server.files["/set-b.zip"] = server.files["/set-a.zip"]
    with pytest.raises(FormatError, match=r"two downloads hold 'set-a/1\.txt'"):
        fetch_dataset(three, tmp_path, patience=HASTY)
    assert not (tmp_path / "strides.zip").exists()


def test_more_than_can_be_joined_is_refused(
    three: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "MAX_JOINED_BYTES", 1000)
    with pytest.raises(FormatError, match="more than 1000 bytes"):
        fetch_dataset(three, tmp_path, patience=HASTY)


def test_a_disk_that_is_full_at_the_end_keeps_the_parts(
    three: Card, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "writestr", full)
        with pytest.raises(RunError, match="No space left on device"):
            fetch_dataset(three, tmp_path, patience=HASTY)
    assert not (tmp_path / "strides.zip").exists()
    server.asked.clear()
    assert fetch_dataset(three, tmp_path, patience=HASTY).new
    assert server.asked == []
