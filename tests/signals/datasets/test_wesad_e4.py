from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layouts import (
    QUEST,
    WESAD_DURATION_S,
    WESAD_OFFSET_S,
    WESAD_START,
    e4,
    wesad_offsets,
    wesad_set,
    wesad_signals,
    write,
)

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading, Refusal
from maestro_ts.signals.datasets.wesad_e4 import quest_seconds
from maestro_ts.signals.recording import Interval


def read_members(members: dict[str, bytes], root: Path, kind: str = "folder") -> Reading:
    return read("wesad-e4", write(members, root, kind))


def refusal(change: dict[str, bytes | None], root: Path) -> Refusal:
    """The one refusal when S3's files are changed or removed among those of S2 and S10."""
    members = wesad_set() | change
    reading = read_members({n: d for n, d in members.items() if d is not None}, root)
    assert [r.subject for r in reading.recordings] == ["S2", "S10"]
    (refused,) = reading.refused
    return refused


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_subjects_are_read(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(wesad_set(), tmp_path, kind)
    reading = read("wesad-e4", path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert not reading.refused
    assert [r.subject for r in reading.recordings] == ["S2", "S3", "S10"]
    assert [r.source for r in reading.recordings] == [f"S{n}_E4_Data" for n in (2, 3, 10)]
    assert reading.recordings[0].duration_s == WESAD_DURATION_S


def test_labels_lie_on_the_wrist_bands_clock_and_are_shortened(tmp_path: Path) -> None:
    recording = read_members(wesad_set(("S2",)), tmp_path).recordings[0]
    o = WESAD_OFFSET_S
    assert recording.labels == (
        Interval(o + 70, o + 170, "baseline"),
        Interval(o + 4 * 60 + 30 + 10, o + 350, "stress"),
        Interval(o + 7 * 60 + 8 + 10, o + 8 * 60 + 30 - 10, "amusement"),
    )


def test_windows_lie_within_one_condition(tmp_path: Path) -> None:
    reading = read_members(wesad_set(("S2",)), tmp_path)
    windows = cut(reading.recordings, card("wesad-e4").schema, card("wesad-e4").windows)
    counts = {label: int((windows.labels == label).sum()) for label in card("wesad-e4").classes}
    assert counts == {"baseline": 5, "stress": 3, "amusement": 3}
    assert windows.present.all()
    assert {n: int(s.lengths[0]) for n, s in windows.samples.items()} == {
        "wrist_acc": 960,
        "wrist_bvp": 1920,
        "wrist_eda": 120,
        "wrist_temp": 120,
    }


def test_units_and_values_that_are_no_measurements(tmp_path: Path) -> None:
    streams = read_members(wesad_set(("S2",)), tmp_path).recordings[0].streams
    assert streams["wrist_acc"].values[:2].tolist() == [[0, -6 / 64, 1], [1 / 64, -6 / 64, 63 / 64]]
    assert np.isnan(streams["wrist_temp"].values[:5, 0]).tolist() == [True] * 4 + [False]
    assert np.isnan(streams["wrist_eda"].values[:2, 0]).tolist() == [True, False]
    assert int(np.isnan(streams["wrist_eda"].values).sum()) == 1
    assert [(n, s.rate_hz) for n, s in sorted(streams.items())] == [
        *(("wrist_acc", 32), ("wrist_bvp", 64), ("wrist_eda", 4), ("wrist_temp", 4)),
    ]


def test_a_zero_of_eda_later_on_is_data(tmp_path: Path) -> None:
    members = wesad_set(("S2",))
    eda = ["0.0", "0.3", "0.0"] + ["0.3"] * (4 * WESAD_DURATION_S - 3)
    members["WESAD/S2/S2_E4_Data/EDA.csv"] = e4(eda, 4)
    values = read_members(members, tmp_path).recordings[0].streams["wrist_eda"].values
    assert np.isnan(values[0, 0])
    assert values[2, 0] == 0


def test_streams_that_start_later_than_eda_keep_their_start(tmp_path: Path) -> None:
    members = wesad_set(("S2",))
    late = wesad_signals(bvp_late_s=2.5)["BVP.csv"]
    members["WESAD/S2/S2_E4_Data/BVP.csv"] = late
    stream = read_members(members, tmp_path).recordings[0].streams["wrist_bvp"]
    assert stream.start_s == 2.5
    assert stream.end_s == WESAD_DURATION_S


def test_the_owners_folder_as_a_zip_of_its_own(tmp_path: Path) -> None:
    members = wesad_set(("S2",))
    plain = read_members(members, tmp_path / "a").recordings[0]
    inner = {n.split("/")[-1]: d for n, d in members.items() if "_E4_Data/" in n}
    shipped = {n: d for n, d in members.items() if "_E4_Data/" not in n}
    (tmp_path / "b").mkdir()
    shipped["WESAD/S2/S2_E4_Data.zip"] = write(inner, tmp_path / "b", "zip").read_bytes()
    packed = read_members(shipped, tmp_path / "c").recordings[0]
    assert packed.labels == plain.labels
    for name, stream in plain.streams.items():
        assert np.array_equal(packed.streams[name].values, stream.values, equal_nan=True)


def test_own_folder_with_the_offsets_beside_it(tmp_path: Path) -> None:
    above = write(wesad_set(("S2",)), tmp_path, "folder")
    assert len(read("wesad-e4", above / "WESAD").recordings) == 1


def test_missing_offsets(tmp_path: Path) -> None:
    members = wesad_set()
    del members["offsets.csv"]
    with pytest.raises(FormatError, match=r"offsets\.csv is missing\. .*two clocks"):
        read_members(members, tmp_path)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        (b"", r"offsets\.csv:1: the column 'subject' is missing"),
        (b"subject,offset_s\nS2,100\n", r"offsets\.csv:1: the column 'e4_start_unix' is missing"),
        (b"subject,e4_start_unix,offset_s\nS2,1\n", r"offsets\.csv:2: 2 columns, 3 expected"),
        (b"subject,e4_start_unix,offset_s\nS2,1,x\n", r"offsets\.csv:2: 'x' is not a number"),
    ],
)
def test_bad_offsets(tmp_path: Path, offsets: bytes, expected: str) -> None:
    with pytest.raises(FormatError, match=expected):
        read_members(wesad_set() | {"offsets.csv": offsets}, tmp_path)


def test_subject_without_an_offset_or_with_that_of_another_recording(tmp_path: Path) -> None:
    refused = refusal({"offsets.csv": wesad_offsets(("S2", "S10"))}, tmp_path / "a")
    assert refused == Refusal("S3", "offsets.csv has no line for this subject.")
    other = wesad_offsets(("S2", "S10", "S3")).replace(
        f"S3,{WESAD_START}".encode(), f"S3,{WESAD_START + 60}".encode()
    )
    refused = refusal({"offsets.csv": other}, tmp_path / "b")
    assert refused.where == "S3"
    assert f"a recording that starts at {WESAD_START + 60}" in refused.why


def test_subject_without_labels(tmp_path: Path) -> None:
    refused = refusal({"WESAD/S3/S3_quest.csv": None}, tmp_path)
    assert refused == Refusal("S3", "S3_quest.csv is missing: no labels.")


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("# START", "# BEGIN", "", "the line '# START' is missing: no labels."),
        ("Base;TSST;Medi 1;Fun", "a;b;c;d", ":2", "none of Base, TSST, Fun occurs: no labels."),
        ("4.3;", "4.75;", ":3", "'4.75' is not a time in minutes.seconds."),
        ("4.3;", "soon;", ":3", "'soon' is not a time in minutes.seconds."),
        ("# END;3;6;7;8.3;6.08;;;;;", "# END;3", ":4", "'' is not a time in minutes.seconds."),
        ("# END;3;", "# END;1.1;", ":4", "Base ends before it starts."),
        ("8.3;", "80;", "", "amusement would end 4890 s into a recording of 640 s."),
    ],
)
def test_bad_quest_file(tmp_path: Path, old: str, new: str, line: str, why: str) -> None:
    assert old in QUEST
    name = "WESAD/S3/S3_quest.csv"
    refused = refusal({name: QUEST.replace(old, new).encode()}, tmp_path)
    assert refused == Refusal(name + line, why)


def test_bad_signal_files(tmp_path: Path) -> None:
    at = "WESAD/S3/S3_E4_Data/"
    signals = wesad_signals()
    acc = signals["ACC.csv"].split(b"\n")
    acc[99] = b"1,2"
    cases: list[tuple[str, bytes | None, str, str]] = [
        ("BVP.csv", None, "S3", "BVP.csv is missing."),
        ("BVP.csv", b"", at + "BVP.csv:1", "the file is cut short"),
        ("EDA.csv", signals["EDA.csv"][:-3], f"{at}EDA.csv:2562", "the file is cut short"),
        ("ACC.csv", b"\n".join(acc), at + "ACC.csv:100", "2 columns, 3 expected: '1,2'"),
        ("ACC.csv", signals["EDA.csv"], at + "ACC.csv:1", "1 columns, 3 expected"),
        ("TEMP.csv", e4(["35.0"] * 640, 1), at + "TEMP.csv:2", "the rate is 1 Hz, 4 expected"),
        ("TEMP.csv", e4(["35.0"] * 400, 4), "S3", "wrist_temp ends at 100 s"),
    ]
    for i, (name, data, where, why) in enumerate(cases):
        refused = refusal({at + name: data}, tmp_path / str(i))
        assert refused.where == where, name
        assert why in refused.why


def test_most_subjects_bad_is_an_error_with_the_first_reasons(tmp_path: Path) -> None:
    members = {n: d for n, d in wesad_set().items() if "S10_quest" not in n and "S3_quest" not in n}
    with pytest.raises(FormatError, match=r"2 of 3 files .* \(1\) S3: S3_quest\.csv is missing"):
        read_members(members, tmp_path)


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs the path"):
        read("wesad-e4", None)
    with pytest.raises(DataError, match="no such file or folder"):
        read("wesad-e4", tmp_path / "nowhere")
    with pytest.raises(FormatError, match="holds no subject of WESAD"):
        read_members({"x.csv": b"1"}, tmp_path)
    archive = write(wesad_set(("S2",)), tmp_path, "zip")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(FormatError, match="the archive is cut short"):
        read("wesad-e4", archive)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("50.3", 50 * 60 + 30),
        ("7.08", 7 * 60 + 8),
        ("26.32", 26 * 60 + 32),
        ("2", 120),
        ("109", 109 * 60),
    ],
)
def test_minutes_dot_seconds(text: str, seconds: int) -> None:
    assert quest_seconds(text, "x:1") == seconds


@pytest.mark.parametrize("text", ["", "7.6", "7.60", "7.081", "-1", "1,5", "7.", "1e1"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(FormatError, match=r"^x:1: .* is not a time"):
        quest_seconds(text, "x:1")
