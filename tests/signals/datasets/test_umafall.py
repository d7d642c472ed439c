from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layouts import umafall_name, umafall_set, umafall_trial, write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.recording import Recording

WALK = umafall_name(1, "ADL", "Walking")
FALL = umafall_name(1, "Fall", "forwardFall")


def read_members(members: dict[str, bytes], root: Path, kind: str = "folder") -> Reading:
    return read("umafall", write(members, root, kind))


def by_name(reading: Reading) -> dict[str, Recording]:
    return {r.source: r for r in reading.recordings}


def change_line(data: bytes, number: int, line: str) -> bytes:
    lines = data.split(b"\n")
    lines[number - 1] = line.encode()
    return b"\n".join(lines)


def line_of(data: bytes, start: str) -> int:
    return next(i for i, x in enumerate(data.split(b"\n"), 1) if x.startswith(start.encode()))


def refusal_of_one(data: bytes, root: Path) -> tuple[str, str]:
    """Where and why a file is refused that lies among sound ones."""
    reading = read_members({**umafall_set(), WALK: data}, root)
    (refused,) = [r for r in reading.refused if "Subject_13" not in r.where]
    return refused.where.removeprefix(WALK), refused.why


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_trials_are_read_and_the_spreadsheets_files_refused(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(umafall_set(), tmp_path, kind)
    reading = read("umafall", path, lambda done, total: told.append((done, total)))
    assert told == [(i, 7) for i in range(1, 8)]
    assert [r.subject for r in reading.recordings] == ["Subject_01"] * 3 + ["Subject_02"] * 3
    (refused,) = reading.refused
    assert refused.where.startswith("UMAFall_Dataset/UMAFall_Subject_13_ADL_Bending_1_")
    assert int(refused.where.rsplit(":", 1)[1]) > 41
    assert "decimal points taken for thousands separators by a spreadsheet" in refused.why
    windows = cut(reading.recordings, card("umafall").schema, card("umafall").windows)
    assert sorted(windows.labels) == [
        *("LyingDown_OnABed", "Sitting_GettingUpOnAChair"),
        *("Walking", "Walking", "Walking", "forwardFall"),
    ]
    assert windows.duration_s.tolist() == [15.0] * 6


def test_folder_above_and_own_folder_give_the_same(tmp_path: Path) -> None:
    above = write(umafall_set(), tmp_path, "folder")
    readings = [read("umafall", path) for path in (above, above / "UMAFall_Dataset")]
    assert by_name(readings[0]).keys() == by_name(readings[1]).keys()
    assert all("/" not in source for source in by_name(readings[0]))


def test_streams_units_and_times(tmp_path: Path) -> None:
    recording = by_name(read_members(umafall_set(), tmp_path))[WALK.split("/")[1]]
    schema = card("umafall").schema
    assert set(recording.streams) == set(schema.names)
    assert len(schema) == 13
    assert schema["chest_mag"].unit == "uT"
    assert schema["rightpocket_acc"].rate_hz == 200
    assert schema["waist_gyro"].device == "waist"
    assert recording.duration_s == 15.0
    assert recording.labels[0].label == "Walking"
    phone = recording.streams["rightpocket_acc"]
    assert phone.times is not None
    assert phone.times[0] == 0.02
    assert (np.diff(phone.times) == 0).sum() > 100  # bursts are kept
    assert phone.times[-1] > 15.0
    for name in ("rightpocket_acc", "chest_acc"):
        assert np.median(np.linalg.norm(recording.streams[name].values, axis=1)) == pytest.approx(
            1, abs=0.1
        )


def test_values_are_those_of_the_file(tmp_path: Path) -> None:
    data = umafall_trial(seed=1)
    recording = by_name(read_members({WALK: data}, tmp_path))[WALK.split("/")[1]]
    rows = [line.split(";") for line in data.decode().split("\n")[41:-1]]
    wrist = np.array([r[2:5] for r in rows if r[5:] == ["1", "3"]], dtype=np.float32)
    assert np.array_equal(recording.streams["wrist_gyro"].values, wrist)


def test_samples_after_15_s_lie_outside_the_window(tmp_path: Path) -> None:
    reading = read_members({WALK: umafall_trial(seed=1)}, tmp_path)
    windows = cut(reading.recordings, card("umafall").schema, card("umafall").windows)
    _, times = windows.samples["rightpocket_acc"].window(0)
    stream = reading.recordings[0].streams["rightpocket_acc"]
    assert times.max() < 15.0
    assert len(times) == len(stream.values) - 1


def test_a_sensor_without_rows_is_absent_and_noted(tmp_path: Path) -> None:
    recordings = by_name(read_members(umafall_set(), tmp_path))
    no_waist = recordings[umafall_name(2, "ADL", "Walking").split("/")[1]]
    assert not [name for name in no_waist.streams if name.startswith("waist")]
    assert no_waist.notes == ("waist: named in the header, no rows.",)
    no_ankle = recordings[umafall_name(2, "ADL", "LyingDown_OnABed").split("/")[1]]
    assert not [name for name in no_ankle.streams if name.startswith("ankle")]
    assert not [note for note in no_ankle.notes if note.startswith("ankle")]


def test_zero_magnetometer_is_absent_and_zeros_before_the_first_measurement_are_nan(
    tmp_path: Path,
) -> None:
    recordings = by_name(read_members(umafall_set(), tmp_path))
    silent = recordings[umafall_name(2, "ADL", "LyingDown_OnABed").split("/")[1]]
    assert "wrist_mag" not in silent.streams
    assert "wrist_acc" in silent.streams
    assert silent.notes == ("wrist_mag: zero throughout, taken as absent.",)
    late = recordings[umafall_name(1, "ADL", "Sitting_GettingUpOnAChair").split("/")[1]]
    missing = np.isnan(late.streams["ankle_mag"].values).all(axis=1)
    assert missing.tolist() == [True] * 5 + [False] * (len(missing) - 5)
    assert not np.isnan(late.streams["chest_mag"].values).any()


def test_samples_4_times_too_small_are_corrected_and_noted(tmp_path: Path) -> None:
    small = umafall_trial(seed=2, small={1: 9, 3: 10_000})
    sound = umafall_trial(seed=2)
    name = FALL.split("/")[1]
    corrected = by_name(read_members({FALL: small}, tmp_path / "a"))[name]
    expected = by_name(read_members({FALL: sound}, tmp_path / "b"))[name]
    for stream in expected.streams:
        assert np.array_equal(corrected.streams[stream].values, expected.streams[stream].values)
    assert expected.notes == ()
    assert [note.split(" samples")[0] for note in corrected.notes] == [
        "chest_acc: the first 9",
        "wrist_acc: the first 61",
    ]


@pytest.mark.parametrize("case", ["one g on the fine grid", "few samples on the fine grid"])
def test_the_fine_grid_alone_is_no_wrong_unit(tmp_path: Path, case: str) -> None:
    lines = umafall_trial(seed=2).split(b"\n")
    chest = [i for i, line in enumerate(lines) if line.endswith(b";0;1")]
    fine = [b"0.25006103515625", b"0.00006103515625", b"0.00006103515625"]  # 4097/16384, 1/16384
    if case == "one g on the fine grid":
        fine[1] = b"0.99993896484375"
        changed = chest[:20]
    else:
        # Two of three, and all of them at a quarter of gravity.
        changed = [i for n, i in enumerate(chest[:20]) if n % 3 < 2]
        for i in chest[:20]:
            lines[i] = b";".join([*lines[i].split(b";")[:2], b"0.25", b"0", b"0", b"0", b"1"])
    for i in changed:
        lines[i] = b";".join([*lines[i].split(b";")[:2], *fine, b"0", b"1"])
    recording = read_members({FALL: b"\n".join(lines)}, tmp_path).recordings[0]
    assert recording.notes == ()
    assert recording.streams["chest_acc"].values[0, 0] == np.float32(0.25006103515625)


def test_weak_but_sound_samples_are_left_alone(tmp_path: Path) -> None:
    # A quarter of gravity on the coarse grid: free fall, not a wrong unit.
    data = umafall_trial(seed=2)
    lines = data.split(b"\n")
    first = line_of(data, "20;1;") + 301
    for i in range(first, first + 5):
        fields = lines[i].split(b";")
        fields[2:5] = [b"0.1875", b"0.125", b"0.125"]
        lines[i] = b";".join(fields)
    assert fields[5:] == [b"0", b"1"]
    recording = read_members({FALL: b"\n".join(lines)}, tmp_path).recordings[0]
    assert recording.notes == ()
    assert (recording.streams["chest_acc"].values == 0.1875).any()


def test_trials_that_differ_in_the_date_only_are_told_apart(tmp_path: Path) -> None:
    recordings = by_name(read_members(umafall_set(), tmp_path))
    walks = [r for r in recordings.values() if r.subject == "Subject_02" and "Walking" in r.source]
    assert len(walks) == 2


def test_a_second_copy_of_a_file_is_refused(tmp_path: Path) -> None:
    members = umafall_set()
    members["copy/" + WALK] = members[WALK]
    reading = read_members(members, tmp_path)
    assert len(reading.recordings) == 6
    assert [r.why for r in reading.refused if "Subject_01" in r.where] == [
        "a second file of this name; the first is used."
    ]


def test_cut_in_the_middle_of_a_line(tmp_path: Path) -> None:
    data = umafall_trial(seed=1)[:-20]
    where, why = refusal_of_one(data, tmp_path)
    last = data.count(b"\n") + 1
    assert where == f":{last}"
    assert "cut short" in why


def test_cut_between_lines(tmp_path: Path) -> None:
    data = umafall_trial(seed=1)
    for n_lines, why_expected in ((200, "last time stamp"), (600, "come together")):
        part = b"\n".join(data.split(b"\n")[:n_lines]) + b"\n"
        where, why = refusal_of_one(part, tmp_path / str(n_lines))
        assert where == f":{n_lines}"
        assert why_expected in why
        assert "cut short" in why


def test_cut_in_the_header(tmp_path: Path) -> None:
    where, why = refusal_of_one(umafall_trial(seed=1)[:500], tmp_path)
    assert where == ""
    assert "no rows after the header" in why


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("5000;9;0.1;oops;0.2;0;0", "'oops' is not a number"),
        ("5000;9;0.1;;0.2;0;0", "'' is not a number"),
        ("5000;9;0.1;inf;0.2;0;0", "'inf' is not a finite number"),
        ("5000;9;0.1;0.2;0;0", "6 columns, 7 expected: '5000;9;0.1;0.2;0;0'"),
        ("5000;9;0.1;0.2;0.3;0;0;1", "8 columns, 7 expected"),
        ("", "1 columns, 7 expected"),
        ("5000;9;0.1;0.2;0.3;0;7", "no sensor of this data set has type 0 and id 7"),
        ("5000;9;0.1;0.2;0.3;1;0", "no sensor of this data set has type 1 and id 0"),
        ("1;9;0.1;0.2;0.3;0;0", "rightpocket_acc: the time stamp goes back"),
    ],
)
def test_corrupt_line_is_refused_by_file_and_line_and_the_rest_loads(
    tmp_path: Path, line: str, why: str
) -> None:
    where, found = refusal_of_one(change_line(umafall_trial(seed=1), 142, line), tmp_path)
    assert where == ":142"
    assert why in found


def test_other_sensor_table_and_unknown_activity_are_refused(tmp_path: Path) -> None:
    data = umafall_trial(seed=1).replace(b"; 2; WAIST", b"; 2; WRIST")
    where, why = refusal_of_one(data, tmp_path / "a")
    assert where == f":{line_of(data, '%C4:BE:84:71:A5:02')}"
    assert "sensor 2 is 'wrist'" in why
    members = umafall_set() | {umafall_name(1, "ADL", "Dancing"): umafall_trial()}
    refused = read_members(members, tmp_path / "b").refused
    assert "unknown activity 'Dancing'." in [r.why for r in refused]


def test_most_files_bad_is_an_error_with_the_first_reasons(tmp_path: Path) -> None:
    members = {name: data[:-20] for name, data in umafall_set().items()}
    with pytest.raises(FormatError, match=r"7 of 7 files cannot be read\. \(1\) UMAFall_Dataset"):
        read_members(members, tmp_path)


def test_a_damaged_member_of_the_archive_is_refused(tmp_path: Path) -> None:
    path = write(umafall_set(), tmp_path, "zip")
    data = bytearray(path.read_bytes())
    at = data.index(WALK.encode()) + len(WALK) + 2000
    data[at : at + 8] = bytes(b ^ 0xFF for b in data[at : at + 8])
    path.write_bytes(data)
    reading = read("umafall", path)
    assert len(reading.recordings) == 5
    (refused,) = [r for r in reading.refused if "Subject_13" not in r.where]
    assert WALK in refused.where
    assert "damaged" in refused.why


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs the path"):
        read("umafall", None)
    with pytest.raises(DataError, match="no such file or folder"):
        read("umafall", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="the folder is empty"):
        read("umafall", tmp_path / "empty")
    write(umafall_set(), tmp_path, "zip")
    with pytest.raises(FormatError, match=r"holds no UMAFall.*archive\.zip: give the path"):
        read("umafall", tmp_path)
    whole = (tmp_path / "archive.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"cut\.zip: the archive is cut short"):
        read("umafall", tmp_path / "cut.zip")
