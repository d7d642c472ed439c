from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from layout_dsads import dsads_name, dsads_set, dsads_values
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading

SHORT = "data/a12/p2/s01.txt"


def read_members(members: dict[str, bytes], root: Path, name: str = "dsads") -> Reading:
    return read(name, write(members, root, "folder"))


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_segments_are_read(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(dsads_set(), tmp_path, kind)
    reading = read("dsads", path, lambda done, total: told.append((done, total)))
    assert told == [(i, 18) for i in range(1, 19)]
    assert not reading.refused
    assert Counter(r.subject for r in reading.recordings) == {"p1": 6, "p2": 6, "p8": 6}
    assert Counter(r.labels[0].label for r in reading.recordings) == {
        **{"sitting": 6, "running_treadmill": 6, "basketball": 6}
    }
    assert reading.recordings[0].source == "a01/p1/s01.txt"
    assert not reading.recordings[0].notes


def test_every_column_goes_to_its_unit(tmp_path: Path) -> None:
    raw = dsads_values(12, 2, 60).astype(np.float32)
    found = read_members(dsads_set(), tmp_path)
    (recording,) = [r for r in found.recordings if r.source == "a12/p2/s60.txt"]
    units = ("torso", "right_arm", "left_arm", "right_leg", "left_leg")
    assert recording.streams.keys() == set(units)
    for i, unit in enumerate(units):
        assert np.array_equal(recording.streams[unit].values, raw[:, 9 * i : 9 * i + 9])
        assert recording.streams[unit].rate_hz == 25


def test_fifteen_modalities_of_the_same_columns(tmp_path: Path) -> None:
    raw = dsads_values(12, 2, 60).astype(np.float32)
    found = read_members(dsads_set(), tmp_path, "dsads-15")
    (recording,) = [r for r in found.recordings if r.source == "a12/p2/s60.txt"]
    schema = card("dsads-15").schema
    assert recording.streams.keys() == set(schema.names)
    assert np.array_equal(recording.streams["torso_acc"].values, raw[:, :3])
    assert np.array_equal(recording.streams["torso_mag"].values, raw[:, 6:9])
    assert np.array_equal(recording.streams["left_leg_gyro"].values, raw[:, 39:42])
    assert np.median(recording.streams["right_arm_acc"].values[:, 0]) > 9
    assert schema.devices == ("left_arm", "left_leg", "right_arm", "right_leg", "torso")
    assert schema["right_arm_gyro"].device == "right_arm"
    assert schema["right_arm_gyro"].unit == "rad/s"


@pytest.mark.parametrize(("name", "modalities"), [("dsads", 5), ("dsads-15", 15)])
def test_a_segment_is_a_window(tmp_path: Path, name: str, modalities: int) -> None:
    about = card(name)
    assert about.name == name
    assert len(about.classes) == len(set(about.classes)) == 19
    windows = cut(read_members(dsads_set(), tmp_path, name).recordings, about.schema, about.windows)
    assert len(windows) == 18
    assert (windows.duration_s == 5).all()
    assert windows.present.shape == (18, modalities)
    assert windows.present.all()
    assert all((s.lengths == 125).all() for s in windows.samples.values())
    assert sum(m.channels for m in about.schema) == 45
    assert set(windows.labels) <= set(about.classes)


def test_the_card_demands_a_split_by_subject() -> None:
    for name in ("dsads", "dsads-15"):
        assert any("split by subject" in quirk for quirk in card(name).quirks)
        assert not card(name).read_on_real_data


LINES = dsads_set()[SHORT].split(b"\n")


def changed(line: int, change: bytes) -> bytes:
    return b"\n".join([*LINES[: line - 1], change, *LINES[line:]])


@pytest.mark.parametrize(
    ("data", "where", "why"),
    [
        (b"", ":1", "no values."),
        (b"\n".join(LINES[:100]) + b"\n", ":100", "100 rows, 125 expected."),
        (b"\n".join([*LINES[:-1], LINES[0], b""]), ":126", "126 rows, 125 expected."),
        (b"\n".join(LINES)[:-40], ":125", "columns, 45 expected"),
        (changed(7, LINES[6] + b",1"), ":7", "46 columns, 45 expected"),
        (changed(9, LINES[8].rsplit(b",", 2)[0]), ":9", "43 columns, 45 expected"),
        (changed(3, b"x" + LINES[2]), ":3", "is not a number"),
        (changed(3, b"NaN," + LINES[2].split(b",", 1)[1]), ":3", "'NaN' is not a finite number"),
        (changed(60, b""), ":60", "1 columns, 45 expected"),
    ],
)
def test_damaged_files_are_refused_by_line(
    tmp_path: Path, data: bytes, where: str, why: str
) -> None:
    reading = read_members(dsads_set() | {SHORT: data}, tmp_path)
    assert len(reading.recordings) == 17
    (refused,) = reading.refused
    assert refused.where == SHORT + where
    assert why in refused.why


def test_a_last_line_without_an_end_is_noted(tmp_path: Path) -> None:
    members = dsads_set()
    members[SHORT] = members[SHORT].rstrip(b"\n")
    reading = read_members(members, tmp_path)
    assert not reading.refused
    noted = [r.source for r in reading.recordings if r.notes]
    assert noted == ["a12/p2/s01.txt"]


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    members = {n: d.replace(b"\n", b"\r\n") for n, d in dsads_set().items()}
    assert len(read_members(members, tmp_path).recordings) == 18


def test_an_unknown_activity_and_a_second_copy_are_refused(tmp_path: Path) -> None:
    members = dsads_set()
    members["data/a20/p1/s01.txt"] = members[dsads_name(1, 1, 1)]
    members["old/" + dsads_name(1, 1, 1)] = members[dsads_name(1, 1, 1)]
    reading = read_members(members, tmp_path)
    assert [(r.where, r.why) for r in reading.refused] == [
        ("data/a20/p1/s01.txt", "unknown activity a20."),
        ("old/data/a01/p1/s01.txt", "a second file of this name; the first is used."),
    ]


def test_most_files_bad_is_an_error_with_the_first_reasons(tmp_path: Path) -> None:
    members = {n: b"1,2\n" if "/a01/" not in n else d for n, d in dsads_set().items()}
    with pytest.raises(FormatError, match=r"12 of 18 files .* \(1\) data/a12/p1/s01\.txt:1: 2 col"):
        read_members(members, tmp_path)


@pytest.mark.parametrize("name", ["dsads", "dsads-15"])
def test_wrong_places(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"'{name}' needs the path"):
        read(name, None)
    with pytest.raises(FormatError, match="holds no segment of DSADS"):
        read_members({"a01/s01.txt": b"1"}, tmp_path, name)
    archive = write(dsads_set(), tmp_path, "zip")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(FormatError, match="the archive is cut short"):
        read(name, archive)
