"""WESAD's wrist band with its heart rates as numbers to be estimated."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from layouts import WESAD_DURATION_S, WESAD_START, e4, wesad_hr_set, wesad_set, write

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading

CARD = card("wesad-e4-hr")
S3 = "WESAD/S3/S3_E4_Data/HR.csv"


def read_members(members: dict[str, bytes], root: Path) -> Reading:
    return read("wesad-e4-hr", write(members, root, "folder"))


def test_a_window_has_the_mean_of_its_30_heart_rates(tmp_path: Path) -> None:
    members = wesad_hr_set(("S2",))
    recording = read_members(members, tmp_path).recordings[0]
    lines = members["WESAD/S2/S2_E4_Data/HR.csv"].decode().split()[2:]
    values = np.array(lines, np.float32).astype(np.float64)
    windows = cut([recording], CARD.schema, CARD.windows)
    assert windows.labels is not None
    assert windows.start_s.tolist() == [10.0 + 15 * j for j in range(len(windows))]
    assert windows.start_s[-1] + 30 <= WESAD_DURATION_S < windows.start_s[-1] + 45
    assert windows.labels.astype(float).tolist() == [
        values[15 * j : 15 * j + 30].mean() for j in range(len(windows))
    ]
    assert len(set(windows.ids.tolist())) == len(windows) == 41
    assert windows.present.all()
    assert "hr" not in " ".join(CARD.schema.names)  # what is estimated is no input


def test_neither_offsets_nor_conditions_are_needed(tmp_path: Path) -> None:
    members = wesad_hr_set()
    bare = {n: d for n, d in members.items() if "quest" not in n and n != "offsets.csv"}
    with_all = read_members(members, tmp_path / "a")
    without = read_members(bare, tmp_path / "b")
    assert [r.labels for r in with_all.recordings] == [r.labels for r in without.recordings]
    assert len(without.recordings) == 3


def test_the_owners_zip_of_a_subject_is_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    members = wesad_hr_set(("S2",))
    with zipfile.ZipFile(buffer, "w") as inner:
        for name, data in members.items():
            if "E4_Data" in name:
                inner.writestr(name.rpartition("/")[2], data)
    found = read_members({"WESAD/S2/S2_E4_Data.zip": buffer.getvalue()}, tmp_path / "a")
    expected = read_members(members, tmp_path / "b")
    assert found.recordings[0].labels == expected.recordings[0].labels


@pytest.mark.parametrize(
    ("data", "where", "why"),
    [
        (None, "S3", "HR.csv is missing: no labels."),
        (e4(["70"] * 40 + ["0"] + ["70"] * 40, 1, start=WESAD_START + 10), f"{S3}:43", "is 0"),
        (e4(["70"] * 40, 4, start=WESAD_START + 10), f"{S3}:2", "the rate is 4 Hz, 1 expected"),
        (e4(["70"] * 29, 1, start=WESAD_START + 10), S3, "29 heart rates from 10 s on"),
        (e4(["70"] * 40, 1, start=WESAD_START + 9000), S3, "from 9000 s on give no window"),
        (b"1495437335.0\n1.0\n70\nx\n", f"{S3}:4", "x"),
    ],
)
def test_a_subject_whose_heart_rates_are_damaged_is_refused(
    tmp_path: Path, data: bytes | None, where: str, why: str
) -> None:
    members = {n: d for n, d in wesad_hr_set().items() if n != S3}
    reading = read_members(members if data is None else members | {S3: data}, tmp_path)
    assert [r.subject for r in reading.recordings] == ["S2", "S10"]
    (refused,) = reading.refused
    assert refused.where == where
    assert why in refused.why


def test_other_files_are_no_wesad(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no subject of WESAD"):
        read_members({"readme.txt": b"nothing"}, tmp_path)


def test_too_few_heart_rates_everywhere_are_refused_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="give no window of 30 s"):
        read_members(wesad_set(), tmp_path)  # two values a subject
