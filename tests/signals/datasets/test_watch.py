from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layouts import watch_content

from maestro_ts.errors import DataError, FormatError, MissingExtraError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read, watch


def save(content: object, root: Path) -> Path:
    path = root / "watch_dataset.npy"
    np.save(path, np.array(content, dtype=object))
    return path


def test_recordings_of_a_file(tmp_path: Path) -> None:
    content = watch_content()
    told: list[tuple[int, int]] = []
    reading = read("watch", save(content, tmp_path), lambda d, t: told.append((d, t)))
    assert told == [(i, 4) for i in range(1, 5)]
    assert [r.labels[0].label for r in reading.recordings] == ["PEN", "ROW", "IR", "IR"]
    assert [r.subject for r in reading.recordings] == [
        *("Subject_01", "Subject_10", "Subject_02", "Subject_02"),
    ]
    assert reading.recordings[3].source == "watch_dataset.npy#3"
    assert reading.recordings[1].duration_s == 7.0
    raw = content["X"][1].astype(np.float32)
    assert np.array_equal(reading.recordings[1].streams["acc"].values, raw[:, :3])
    assert np.array_equal(reading.recordings[1].streams["gyro"].values, raw[:, 3:])
    windows = cut(reading.recordings, card("watch").schema, card("watch").windows)
    assert len(windows) == 2 + 2 + 3 + 3
    assert (windows.samples["acc"].lengths == 200).all()


def test_a_folder_that_holds_the_file(tmp_path: Path) -> None:
    save(watch_content(), tmp_path)
    assert len(read("watch", tmp_path).recordings) == 4


def test_the_installed_package_is_found_without_importing_it() -> None:
    if importlib.util.find_spec("seglearn") is None:
        pytest.skip("not run: seglearn is not installed")
    code = (
        "import sys; from maestro_ts.signals.datasets import read; r = read('watch', None); "
        "assert len(r.recordings) == 140 and len({x.subject for x in r.recordings}) == 10; "
        "assert 'seglearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"'seglearn'.*pip install \"maestro-ts\[demo\]\""):
        read("watch", None)


def test_a_hostile_file_is_refused_by_name(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> object:
            return (os.system, (f"touch {tmp_path / 'proof'}",))

    path = save({**watch_content(), "X": [Evil()]}, tmp_path)
    with pytest.raises(FormatError, match=r"watch_dataset\.npy: .*asks to load '\w+\.system'"):
        read("watch", path)
    assert not (tmp_path / "proof").exists()


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    path = save(watch_content(), tmp_path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FormatError, match=r"watch_dataset\.npy: .*cut short"):
        read("watch", path)


def test_missing_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        read("watch", tmp_path / "nowhere")
    with pytest.raises(FormatError, match=r"holds no watch_dataset\.npy"):
        read("watch", tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"X": []}, "holds no series"),
        ({"X_labels": ["ax", "ay"]}, r"the channels are \['ax', 'ay'\]"),
        ({"y": np.array([0, 1])}, "4 series, but 'y' is int64 of shape"),
        ({"y": np.array([0.0, 1, 2, 3])}, "4 series, but 'y' is float64"),
        ({"y": np.array([0, 1, 2, 7])}, "'y' has numbers outside 0-6"),
        ({"y": np.array([0, 1, 2, -1])}, "'y' has numbers outside 0-6"),
        ({"subject": np.array([1])}, "'subject' is int64 of shape"),
        ({"y_labels": ["PEN", "JUMP"]}, "unknown exercise 'JUMP'"),
        ({"X": [np.zeros((9, 5))] * 4}, r"#0: a series is float64 of shape \(9, 5\)"),
        ({"X": [np.zeros((9, 6)), "x", 1, 2]}, "#1: a series is"),
        ({"X": [np.full((9, 6), np.nan)] * 4}, "#0: a series is empty or not finite"),
        ({"X": [np.zeros((0, 6))] * 4}, "#0: a series is empty or not finite"),
    ],
)
def test_other_content(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    with pytest.raises(FormatError, match=expected):
        read("watch", save(watch_content() | change, tmp_path))


def test_no_dict_or_an_entry_missing(tmp_path: Path) -> None:
    a_list = np.empty((), dtype=object)
    a_list[()] = [1, 2]
    np.save(tmp_path / "watch_dataset.npy", a_list)
    with pytest.raises(FormatError, match="holds a list, a dict is expected"):
        read("watch", tmp_path)
    content = watch_content()
    del content["subject"]
    with pytest.raises(FormatError, match="the entry 'subject' is missing"):
        read("watch", save(content, tmp_path))
