from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layout_ppg_dalia import SECONDS, dalia_content, dalia_pickles
from layout_python2 import python2_pickle
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.experiments.loading import load_data
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading, Refusal
from maestro_ts.signals.recording import Interval
from maestro_ts.signals.windows import Windows

S2 = "PPG_FieldStudy/S2/S2.pkl"


def read_members(
    members: dict[str, bytes], root: Path, name: str = "dalia-har", kind: str = "folder"
) -> Reading:
    return read(name, write(members, root, kind))


def windows_of(name: str, root: Path) -> Windows:
    reading = read_members(dalia_pickles(("S1",)), root, name)
    return cut(reading.recordings, card(name).schema, card(name).windows)


@pytest.mark.parametrize("name", ["dalia-har", "dalia-hr"])
def test_subjects_are_read(tmp_path: Path, name: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(dalia_pickles(), tmp_path, "folder")
    reading = read(name, path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert not reading.refused
    assert [r.subject for r in reading.recordings] == ["S1", "S2", "S11"]
    assert [r.source for r in reading.recordings] == ["S1.pkl", "S2.pkl", "S11.pkl"]
    assert reading.recordings[0].duration_s == SECONDS


def test_the_archive(tmp_path: Path) -> None:
    reading = read_members(dalia_pickles(("S1",)), tmp_path, kind="zip")
    assert [r.subject for r in reading.recordings] == ["S1"]


def test_a_python_2_file_of_protocol_0(tmp_path: Path) -> None:
    recording = read_members(dalia_pickles(("S1",), 0), tmp_path).recordings[0]
    raw = dalia_content("S1")["signal"]["wrist"]["BVP"].astype(np.float32)
    assert np.array_equal(recording.streams["wrist_bvp"].values, raw)


def test_five_modalities_with_the_values_of_the_file(tmp_path: Path) -> None:
    recording = read_members(dalia_pickles(("S1",)), tmp_path).recordings[0]
    signal = dalia_content("S1")["signal"]
    assert card("dalia-har").schema.devices == ("chest", "wrist")
    assert card("dalia-har").schema == card("dalia-hr").schema
    assert sorted(recording.streams) == list(card("dalia-har").schema.names)
    for device, kind, rate in [
        *(("chest", "ACC", 700), ("wrist", "ACC", 32), ("wrist", "BVP", 64)),
        *(("wrist", "EDA", 4), ("wrist", "TEMP", 4)),
    ]:
        stream = recording.streams[f"{device}_{kind.lower()}"]
        assert stream.rate_hz == rate
        assert np.array_equal(stream.values, signal[device][kind].astype(np.float32))


def test_activities_become_intervals(tmp_path: Path) -> None:
    recording = read_members(dalia_pickles(("S1",)), tmp_path / "a").recordings[0]
    assert recording.labels == (
        Interval(10.0, 20.0, "stairs"),
        Interval(21.0, 30.0, "soccer"),
        Interval(30.0, 40.0, "cycling"),
        Interval(40.0, 58.0, "walking"),
    )
    windows = windows_of("dalia-har", tmp_path / "b")
    assert windows.labels.tolist() == (
        ["stairs"] * 2 + ["soccer"] + ["cycling"] * 2 + ["walking"] * 6
    )
    assert windows.present.all()


def test_each_window_has_its_own_heart_rate(tmp_path: Path) -> None:
    windows = windows_of("dalia-hr", tmp_path)
    rates = dalia_content("S1")["label"]
    assert len(windows) == len(rates) == (SECONDS - 8) // 2 + 1
    assert windows.start_s.tolist() == [2.0 * j for j in range(len(rates))]
    assert windows.duration_s.tolist() == [8.0] * len(rates)
    assert np.array_equal(windows.labels.astype(np.float64), rates)  # every digit
    assert len(set(windows.ids.tolist())) == len(rates)
    assert (windows.samples["wrist_bvp"].lengths == 512).all()


def test_the_heart_rates_card_says_that_it_is_a_regression() -> None:
    assert card("dalia-hr").classes == ()
    assert "regression" in card("dalia-hr").task
    assert len(card("dalia-har").classes) == 7
    assert "chest_ecg" not in card("dalia-hr").schema  # the heart rate was taken from it


# --- what is refused -----------------------------------------------------------------------------


def refusal(name: str, data: bytes, root: Path) -> Refusal:
    """The one refusal when S2's file is another among those of S1 and S11."""
    reading = read_members(dalia_pickles() | {S2: data}, root, name)
    assert [r.subject for r in reading.recordings] == ["S1", "S11"]
    (refused,) = reading.refused
    return refused


def put(key: str, change: Callable[[np.ndarray], Any]) -> Callable[[dict[str, Any]], None]:
    def apply(content: dict[str, Any]) -> None:
        content[key] = change(content[key])

    return apply


def set_at(index: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[index] = value
        return array

    return change


def wrist_in_64ths(content: dict[str, Any]) -> None:
    content["signal"]["wrist"]["ACC"] *= 64


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("dalia-har", lambda c: c.pop("activity"), "the entry 'activity' is missing."),
        ("dalia-hr", lambda c: c.pop("label"), "the entry 'label' is missing."),
        ("dalia-har", put("activity", set_at(7, 9)), "the label at index 7 is 9, a whole number"),
        ("dalia-har", put("activity", set_at(7, 2.5)), "the label at index 7 is 2.5, a whole"),
        ("dalia-har", put("activity", lambda a: a[:99]), "'activity' ends at 24.8 s, the signals"),
        ("dalia-har", put("activity", lambda a: a * 0), "no labels."),
        ("dalia-hr", put("label", lambda a: a[:9]), "'label' ends at 24.0 s, the signals at 60.0"),
        ("dalia-hr", put("label", set_at(3, np.nan)), "'label' is not finite at index 3."),
        ("dalia-hr", put("label", set_at(3, 0)), "the heart rate at index 3 is 0."),
        ("dalia-hr", put("label", lambda a: a.astype(str)), "'label' is <U"),
        ("dalia-hr", lambda c: c["signal"].pop("wrist"), "'signal/wrist' is missing."),
        ("dalia-har", wrist_in_64ths, "'signal/wrist/ACC' has a median magnitude of 6"),
    ],
)
def test_damaged_content(
    tmp_path: Path, name: str, change: Callable[[dict[str, Any]], Any], why: str
) -> None:
    content = dalia_content("S2")
    change(content)
    refused = refusal(name, python2_pickle(content, 2), tmp_path)
    assert refused.where == S2
    assert why in refused.why


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    data = python2_pickle(dalia_content("S2"), 2)
    refused = refusal("dalia-har", data[: len(data) // 2], tmp_path)
    assert refused.where == S2
    assert "the pickle is cut short in byte" in refused.why


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'dalia-hr' needs the path"):
        read("dalia-hr", None)
    with pytest.raises(FormatError, match=r"holds no subject of PPG-DaLiA .*It holds data\.zip"):
        read_members({"data.zip": b"PK", "readme.pdf": b"%PDF"}, tmp_path)


def test_heart_rates_are_loaded_as_numbers_and_activities_as_names(tmp_path: Path) -> None:
    path = write(dalia_pickles(), tmp_path, "folder")
    rates = load_data("dalia-hr", path, None, Progress()).windows.labels
    assert rates is not None
    assert rates.dtype == np.float64
    names = load_data("dalia-har", path, None, Progress()).windows.labels
    assert names is not None
    assert names.dtype.kind == "U"
