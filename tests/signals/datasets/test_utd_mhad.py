from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from layout_utd_mhad import inertial, mat, skeleton, utd_name, utd_set, utd_trial
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.symbols.symbolizer import Symbolizer

CARD = card("utd-mhad")


def read_members(members: dict[str, bytes], root: Path, kind: str = "folder") -> Reading:
    return read("utd-mhad", write(members, root, kind))


def of(reading: Reading, source: str) -> Recording:
    (found,) = [r for r in reading.recordings if r.source == source]
    return found


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_trials_are_read(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    members = utd_set()
    path = write(members, tmp_path, kind)
    reading = read("utd-mhad", path, lambda done, total: told.append((done, total)))
    assert told == [(i, 5) for i in range(1, 6)]
    assert not reading.refused
    assert [r.source for r in reading.recordings] == [
        *("a1_s1_t1", "a2_s1_t1", "a10_s2_t1", "a27_s2_t3", "a27_s8_t4"),
    ]
    assert [r.subject for r in reading.recordings] == ["s1", "s1", "s2", "s2", "s8"]
    assert [r.labels[0].label for r in reading.recordings] == [
        *("swipe_left", "swipe_right", "draw_circle_counter_clockwise", "squat", "squat"),
    ]
    assert all(r.clock == "stretched" and not r.notes for r in reading.recordings)


def test_values_are_those_of_the_files(tmp_path: Path) -> None:
    members = utd_set()
    recording = of(read_members(members, tmp_path), "a2_s1_t1")
    raw = scipy.io.loadmat(io.BytesIO(members[utd_name("Inertial", 2, 1, 1)]))["d_iner"]
    assert np.array_equal(recording.streams["acc"].values, raw[:, :3].astype(np.float32))
    assert np.array_equal(recording.streams["gyro"].values, raw[:, 3:].astype(np.float32))
    raw = scipy.io.loadmat(io.BytesIO(members[utd_name("Skeleton", 2, 1, 1)]))["d_skel"]
    frames = recording.streams["skeleton"].values
    assert frames.shape == (41, 60)
    for frame, joint, axis in ((0, 0, 0), (40, 19, 2), (7, 3, 1)):
        assert frames[frame, 3 * joint + axis] == np.float32(raw[joint, axis, frame])


def test_both_modalities_span_the_trial(tmp_path: Path) -> None:
    for recording in read_members(utd_set(), tmp_path).recordings:
        streams = recording.streams
        assert recording.duration_s == len(streams["acc"].values) / 50
        assert recording.labels[0] == Interval(0, recording.duration_s, recording.labels[0].label)
        times = streams["skeleton"].sample_times()
        step = recording.duration_s / len(times)
        np.testing.assert_allclose(times, step * np.arange(len(times)))
        assert streams["skeleton"].rate_hz == 30


def test_the_symbols_of_both_cover_the_whole_window(tmp_path: Path) -> None:
    reading = read_members(utd_set(), tmp_path)
    windows = cut(reading.recordings, CARD.schema, CARD.windows)
    assert len(windows) == 5
    assert windows.present.all()
    assert windows.samples["skeleton"].lengths.tolist() == [48, 41, 125, 48, 48]
    symbolizer = Symbolizer(SymbolSettings(tokens=16)).fit(windows)
    for name, symbols in symbolizer(windows).items():
        assert symbols.valid.shape == (5, 16)
        assert symbols.valid.all(), name
    for name, binned in symbolizer.bin(windows).items():
        # As many samples in the last quarter of the window as in the first.
        count = binned.count[:, :, 0]
        first, last = count[:, :4].sum(axis=1), count[:, -4:].sum(axis=1)
        assert (np.abs(first - last) <= 1).all(), name


def test_a_trial_with_one_file_lacks_the_other_modalities(tmp_path: Path) -> None:
    members = utd_set()
    del members[utd_name("Inertial", 1, 1, 1)], members[utd_name("Skeleton", 27, 8, 4)]
    reading = read_members(members, tmp_path)
    assert not reading.refused
    alone = of(reading, "a1_s1_t1")
    assert set(alone.streams) == {"skeleton"}
    assert alone.notes == ("inertial: no file.",)
    assert alone.duration_s == pytest.approx(48 / 30)
    np.testing.assert_allclose(alone.streams["skeleton"].sample_times(), np.arange(48) / 30)
    alone = of(reading, "a27_s8_t4")
    assert set(alone.streams) == {"acc", "gyro"}
    assert alone.notes == ("skeleton: no file.",)
    windows = cut(reading.recordings, CARD.schema, CARD.windows)
    assert windows.present.sum(axis=0).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("Inertial", b"", "not a MATLAB 5 file"),
        ("Inertial", mat(d_iner=inertial())[:-40], "cut short"),
        ("Inertial", mat(other=inertial()), "no variable 'd_iner'; it holds 'other'"),
        ("Inertial", mat(d_iner=inertial().T), r"shape (6, 160), (T, 6) expected"),
        ("Inertial", mat(d_iner=np.zeros((0, 6))), r"shape (0, 6), (T, 6) expected"),
        ("Inertial", mat(d_iner=inertial(), s={"a": 1}), "holds a struct"),
        ("Inertial", mat(d_iner=np.array([["x", 1]], dtype=object)), "holds a cell array"),
        ("Inertial", mat(d_iner=np.full((9, 6), np.nan)), "54 values that are no finite"),
        ("Inertial", mat(d_iner=np.full((9, 6), 1e39)), "the first is 1e+39 at (0, 0)"),
        ("Inertial", mat(d_iner=np.zeros((3000, 3000))), "unpacks to more than"),
        ("Skeleton", mat(d_iner=inertial()), "no variable 'd_skel'"),
        ("Skeleton", mat(d_skel=skeleton().transpose(2, 0, 1)), "(20, 3, T) expected"),
        ("Skeleton", mat(d_skel=skeleton()[:, :, 0]), "shape (20, 3), (20, 3, T) expected"),
        ("Skeleton", mat(d_skel=np.where(skeleton() > 3, np.inf, skeleton())), "no finite"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_the_rest_of_its_trial_kept(
    kind: str, data: bytes, why: str, tmp_path: Path
) -> None:
    member = utd_name(kind, 10, 2, 1)
    reading = read_members(utd_set() | {member: data}, tmp_path)
    (refused,) = reading.refused
    assert refused.where.startswith(member)
    assert why in refused.why
    assert len(reading.recordings) == 5
    kept = of(reading, "a10_s2_t1")
    assert set(kept.streams) == ({"skeleton"} if kind == "Inertial" else {"acc", "gyro"})
    assert kept.notes == (f"{kind.lower()}: its file was refused.",)


def test_a_trial_of_two_damaged_files_is_left_out(tmp_path: Path) -> None:
    names = [utd_name(kind, 10, 2, 1) for kind in ("Inertial", "Skeleton")]
    reading = read_members(utd_set() | dict.fromkeys(names, b"x"), tmp_path)
    assert [r.where for r in reading.refused] == names
    assert len(reading.recordings) == 4


def test_an_action_beyond_the_27(tmp_path: Path) -> None:
    reading = read_members(utd_set() | utd_trial(28), tmp_path)
    assert [r.where for r in reading.refused] == [
        "Inertial/a28_s1_t1_inertial.mat",
        "Skeleton/a28_s1_t1_skeleton.mat",
    ]
    assert "unknown action 28" in reading.refused[0].why
    assert len(reading.recordings) == 5


def test_a_second_copy_of_a_file(tmp_path: Path) -> None:
    member = utd_name("Inertial", 1, 1, 1)
    members = utd_set()
    copy = {f"zz/{member}": mat(d_iner=inertial(200, 5))}
    reading = read_members(members | copy, tmp_path)
    assert [r.where for r in reading.refused] == [f"zz/{member}"]
    assert len(of(reading, "a1_s1_t1").streams["acc"].values) == 160


def test_mostly_damaged_is_an_error(tmp_path: Path) -> None:
    members = {name: data if "a27_s8" in name else b"x" for name, data in utd_set().items()}
    with pytest.raises(FormatError, match="8 of 10 files cannot be read"):
        read_members(members, tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no a"):
        read_members({"readme.txt": b"x"}, tmp_path)
    with pytest.raises(DataError, match="needs the path"):
        read("utd-mhad", None)
