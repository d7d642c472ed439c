from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import pytest

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.formats.archive import check_refused, open_folder, open_zip

MEMBERS = {"Set/a_1.csv": b"1;2\n" * 500, "Set/a_2.csv": b"3;4\n" * 500, "Set/deep/note.txt": b""}


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_LZMA) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(params=["folder", "zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "zip":
        return make_zip(tmp_path / "set.zip", MEMBERS)
    for name, data in MEMBERS.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "root"


def test_folder_and_zip_look_the_same(place: Path) -> None:
    with open_folder(place) as folder:
        assert folder.names == tuple(sorted(MEMBERS))
        assert {name: folder.read(name) for name in folder.names} == MEMBERS


def test_members_match_from_a_part_of_their_path_on(place: Path) -> None:
    with open_folder(place) as folder:
        found = folder.matching(r"a_(?P<n>\d)\.csv")
        assert {name: match["n"] for name, match in found.items()} == {
            "Set/a_1.csv": "1",
            "Set/a_2.csv": "2",
        }
        assert not folder.matching(r"_(\d)\.csv")
        assert not folder.matching(r"Set/a_1")


def test_the_data_sets_own_folder_matches_too(tmp_path: Path) -> None:
    (tmp_path / "Set").mkdir()
    (tmp_path / "Set" / "a_1.csv").write_bytes(b"1")
    for root in (tmp_path, tmp_path / "Set"):
        with open_folder(root) as folder:
            assert len(folder.matching(r"a_\d\.csv")) == 1


def test_a_member_that_does_not_exist(place: Path) -> None:
    with open_folder(place) as folder, pytest.raises(DataError, match=r"no member '\.\./x'"):
        folder.read("../x")


def test_a_member_above_the_limit(place: Path) -> None:
    with open_folder(place, max_member_bytes=100) as folder:
        with pytest.raises(FormatError, match=r"a_1\.csv: the member is 2000 bytes large"):
            folder.read("Set/a_1.csv")
        assert folder.read("Set/deep/note.txt") == b""


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file or folder"):
        open_folder(tmp_path / "nowhere")


def test_empty_folder_and_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="empty: the folder is empty"):
        open_folder(tmp_path / "empty")
    make_zip(tmp_path / "empty.zip", {})
    with pytest.raises(FormatError, match=r"empty\.zip: the archive is empty"):
        open_folder(tmp_path / "empty.zip")


def test_no_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"this is text, not an archive" * 10)
    with pytest.raises(FormatError, match=r"a\.zip: not a zip archive"):
        open_folder(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(b"")
    with pytest.raises(FormatError, match=r"b\.zip: not a zip archive"):
        open_folder(tmp_path / "b.zip")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_archive_cut_short(tmp_path: Path, share: float) -> None:
    whole = make_zip(tmp_path / "whole.zip", MEMBERS).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError, match=r"cut\.zip: the archive is cut short"):
        open_folder(tmp_path / "cut.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_damaged_member_is_named(tmp_path: Path, method: int) -> None:
    path = make_zip(tmp_path / "set.zip", MEMBERS, method)
    data = bytearray(path.read_bytes())
    at = data.index(b"Set/a_2.csv") + len("Set/a_2.csv") + 12
    data[at : at + 4] = bytes(b ^ 0xFF for b in data[at : at + 4])
    path.write_bytes(data)
    with open_folder(path) as folder:
        assert folder.read("Set/a_1.csv") == MEMBERS["Set/a_1.csv"]
        with pytest.raises(FormatError, match=r"set\.zip: Set/a_2\.csv: the member is damaged"):
            folder.read("Set/a_2.csv")


@pytest.mark.parametrize(
    "name", ["../x.csv", "Set/../../x.csv", "/etc/x.csv", "C:\\x.csv", "..\\x"]
)
def test_names_outside_the_archive(tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path / "set.zip", {"a.csv": b"1", name: b"2"})
    with pytest.raises(FormatError, match="names a member outside itself"):
        open_folder(path)


def test_a_name_with_two_dots_inside_is_legal(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "set.zip", {"a..b/x..csv": b"1"})
    with open_folder(path) as folder:
        assert folder.names == ("a..b/x..csv",)


def test_encrypted_member(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "set.zip", {"a.csv": b"1"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(start) + offset] |= 1
    path.write_bytes(data)
    with open_folder(path) as folder, pytest.raises(FormatError, match=r"a\.csv: .*encrypted"):
        folder.read("a.csv")


def test_a_zip_within_a_zip(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", MEMBERS).read_bytes()
    outer = make_zip(tmp_path / "outer.zip", {"x/inner.zip": inner})
    with open_folder(outer) as folder:
        with open_zip(folder.read("x/inner.zip"), "x/inner.zip") as members:
            assert members.read("Set/a_1.csv") == MEMBERS["Set/a_1.csv"]
        with pytest.raises(FormatError, match=r"x/inner\.zip: the archive is cut short"):
            open_zip(inner[:-30], "x/inner.zip")


def test_the_error_for_the_wrong_folder_points_to_an_archive_in_it(tmp_path: Path) -> None:
    make_zip(tmp_path / "set.zip", MEMBERS)
    with open_folder(tmp_path) as folder:
        error = folder.nothing_found("trial")
    assert "holds no trial" in str(error)
    assert "set.zip: give the path of that file" in str(error)


def test_few_refused_files_are_let_pass_and_most_are_not() -> None:
    check_refused("set", 2, ["a", "b"])
    with pytest.raises(FormatError, match=r"set: 3 of 5 files .* \(1\) a \(2\) b \(3\) c"):
        check_refused("set", 2, ["a", "b", "c"])
    with pytest.raises(FormatError, match="1 of 1 files"):
        check_refused("set", 0, ["a"])


def test_every_flipped_byte_of_an_archive_gives_members_or_a_format_error(tmp_path: Path) -> None:
    data = make_zip(tmp_path / "a.zip", {"é/a.csv": b"1,2\n", "b.csv": b"3\n"}, 0).read_bytes()
    for at in range(len(data)):
        for flip in (0x15, 0xFF):
            broken = bytearray(data)
            broken[at] ^= flip
            with contextlib.suppress(FormatError), open_zip(bytes(broken), "a.zip") as archive:
                for name in archive.names:
                    archive.read(name)
