from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from maestro_ts.atomic import atomic_path, write_bytes, write_text
from maestro_ts.errors import RunError


def full(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "größe → 3\n")
    assert (tmp_path / "a.txt").read_bytes() == "größe → 3\n".encode()


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"x")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"x"


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a long old text")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_old_file_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_path(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.parent == path.parent
    assert path.read_text() == "new"


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_path(path) as partial:
            partial.write_text("ne")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    "where", [(os, "replace"), (os, "fsync"), (Path, "write_bytes")], ids=lambda w: w[1]
)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    where: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(*where, full)
    with pytest.raises(RunError, match="cannot write: No space left on device") as caught:
        write_text(path, "new")
    monkeypatch.undo()
    assert caught.value.where == str(path)
    assert "free some space" in caught.value.fix
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_contents_are_on_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda f: (done.append("fsync"), fsync(f))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), replace(a, b))[1])
    write_text(tmp_path / "a.txt", "new")
    assert done == ["fsync", "replace"]


def test_a_folder_in_place_of_the_file_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "a", "new")
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_in_place_of_the_folder_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "a" / "b.txt", "new")
    assert (tmp_path / "a").read_text() == "old"


def test_a_left_over_partial_file_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt.partial").write_text("half of something that was killed")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]
