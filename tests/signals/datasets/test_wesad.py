from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layout_python2 import python2_pickle
from layout_wesad import SECONDS, wesad_content, wesad_pickles
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading, Refusal
from maestro_ts.signals.datasets.wesad import READER
from maestro_ts.signals.recording import Interval

S3 = "WESAD/S3/S3.pkl"


def read_members(members: dict[str, bytes], root: Path, kind: str = "folder") -> Reading:
    return read("wesad", write(members, root, kind))


def refusal(data: bytes | None, root: Path) -> Refusal:
    """The one refusal when S3's file is another (or gone) among those of S2 and S10."""
    members: dict[str, Any] = wesad_pickles() | {S3: data}
    reading = read_members({n: d for n, d in members.items() if d is not None}, root)
    assert [r.subject for r in reading.recordings] == ["S2", "S10"]
    (refused,) = reading.refused
    return refused


def test_subjects_are_read(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = write(wesad_pickles(), tmp_path, "folder")
    reading = read("wesad", path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert not reading.refused
    assert [r.subject for r in reading.recordings] == ["S2", "S3", "S10"]
    assert [r.source for r in reading.recordings] == ["S2.pkl", "S3.pkl", "S10.pkl"]
    assert [r.duration_s for r in reading.recordings] == [SECONDS] * 3


def test_the_archive_as_downloaded(tmp_path: Path) -> None:
    reading = read_members(wesad_pickles(("S2",)), tmp_path, "zip")
    assert [r.subject for r in reading.recordings] == ["S2"]
    assert not reading.refused


def test_the_folder_above_may_be_given(tmp_path: Path) -> None:
    unpacked = write(wesad_pickles(("S2",)), tmp_path, "folder")
    assert len(read("wesad", unpacked / "WESAD").recordings) == 1
    assert len(read("wesad", unpacked / "WESAD" / "S2").recordings) == 1


def test_ten_modalities_of_two_devices_at_their_rates(tmp_path: Path) -> None:
    recording = read_members(wesad_pickles(("S2",)), tmp_path).recordings[0]
    schema = card("wesad").schema
    assert len(schema) == 10
    assert schema.devices == ("chest", "wrist")
    assert {n: (s.rate_hz, *s.values.shape) for n, s in recording.streams.items()} == {
        "chest_acc": (700, 700 * SECONDS, 3),
        **{
            f"chest_{kind}": (700, 700 * SECONDS, 1)
            for kind in ("ecg", "emg", "eda", "temp", "resp")
        },
        "wrist_acc": (32, 32 * SECONDS, 3),
        "wrist_bvp": (64, 64 * SECONDS, 1),
        "wrist_eda": (4, 4 * SECONDS, 1),
        "wrist_temp": (4, 4 * SECONDS, 1),
    }
    assert all(s.values.dtype == np.float32 for s in recording.streams.values())


def test_values_are_those_of_the_file(tmp_path: Path) -> None:
    recording = read_members(wesad_pickles(("S2",)), tmp_path).recordings[0]
    signal = wesad_content("S2")["signal"]
    for device, kind, name in [
        *(("chest", "ACC", "chest_acc"), ("chest", "ECG", "chest_ecg")),
        *(("chest", "EMG", "chest_emg"), ("chest", "EDA", "chest_eda")),
        *(("chest", "Temp", "chest_temp"), ("chest", "Resp", "chest_resp")),
        *(("wrist", "BVP", "wrist_bvp"), ("wrist", "EDA", "wrist_eda")),
        ("wrist", "TEMP", "wrist_temp"),
    ]:
        raw = signal[device][kind].astype(np.float32)
        assert np.array_equal(recording.streams[name].values, raw), name
    in_g = recording.streams["wrist_acc"].values
    assert np.array_equal(in_g * 64, signal["wrist"]["ACC"])


def test_labels_1_to_3_become_intervals(tmp_path: Path) -> None:
    recording = read_members(wesad_pickles(("S2",)), tmp_path).recordings[0]
    assert recording.labels == (
        Interval(2.0, 14.0, "baseline"),
        Interval(16.0, 26.0, "stress"),
        Interval(28.0, 38.0, "amusement"),
    )
    windows = cut([recording], card("wesad").schema, card("wesad").windows)
    assert windows.labels.tolist() == ["baseline"] * 2 + ["stress", "amusement"]
    assert windows.start_s.tolist() == [2, 6, 16, 28]
    assert windows.present.all()
    assert {int(s.lengths[0]) for n, s in windows.samples.items() if "chest" in n} == {5600}
    assert windows.samples["wrist_eda"].lengths.tolist() == [32] * 4


def test_one_subject_alone(tmp_path: Path) -> None:
    with READER.open(write(wesad_pickles(("S2",)), tmp_path, "folder")) as folder:
        recording = READER.read_part(folder, "S2")
    assert recording.subject == "S2"
    assert len(recording.streams) == 10


def numpy_1(content: Any) -> bytes:
    return pickle.dumps(content, 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def numpy_2(content: Any) -> bytes:
    plain = pickle.dumps(content, 2)
    if b"numpy._core" in plain:
        return plain
    return plain.replace(b"numpy.core.multiarray", b"numpy._core.multiarray")


@pytest.mark.parametrize(
    "dump",
    [python2_pickle, lambda c: python2_pickle(c, 2), numpy_1, numpy_2],
    ids=["python 2 protocol 0", "python 2 protocol 2", "numpy 1", "numpy 2"],
)
def test_pickles_of_any_age_hold_the_same(tmp_path: Path, dump: Callable[[Any], bytes]) -> None:
    data = dump(wesad_content("S2"))
    recording = read_members({"S2/S2.pkl": data}, tmp_path).recordings[0]
    assert len(recording.labels) == 3
    raw = wesad_content("S2")["signal"]["chest"]["ECG"].astype(np.float32)
    assert np.array_equal(recording.streams["chest_ecg"].values, raw)


# --- what is refused -----------------------------------------------------------------------------


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def other(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        old = content[path[-1]]
        content[path[-1]] = value(old) if callable(value) else value

    return change


def at(index: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[index] = value
        return array

    return change


ECG = ("signal", "chest", "ECG")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without("signal"), "the entry 'signal' is missing."),
        (without("signal", "wrist"), "the entry 'signal/wrist' is missing."),
        (without(*ECG), "the entry 'signal/chest/ECG' is missing."),
        (without("label"), "the entry 'label' is missing."),
        (without("subject"), "the entry 'subject' is missing."),
        (other("S4", "subject"), "is about the subject 'S4', 'S3' expected."),
        (other("none", "signal", "chest"), "'signal/chest' is a str, a dict is expected."),
        (
            other(lambda a: a[:, :2], "signal", "chest", "ACC"),
            "'signal/chest/ACC' is float64 of shape (28000, 2), numbers of shape (n, 3) expected.",
        ),
        (other("text", *ECG), "'signal/chest/ECG' is <U4 of shape (), numbers of shape"),
        (other(lambda a: a[:0], *ECG), "'signal/chest/ECG' is empty."),
        (other(at(5, np.inf), *ECG), "infinite value at index (5, 0)"),
        (other(at(5, 1e39), *ECG), "infinite value at index (5, 0)"),
        (other(lambda a: a[:-7], "label"), "27993 labels, but chest_acc has 28000 samples"),
        (other(lambda a: a[:-1], *ECG), "28000 labels, but chest_ecg has 27999 samples"),
        (other(lambda a: a[:, None].repeat(2, 1), "label"), "'label' is int32 of shape (28000, 2)"),
        (other(at(9, 8), "label"), "the label at index 9 is 8, a whole number of 0-7 expected."),
        (other(at(9, -1), "label"), "the label at index 9 is -1, a whole number of 0-7 expected."),
        (other(lambda a: a * 0, "label"), "none of baseline, stress, amusement occurs: no labels."),
        (
            other(lambda a: a[: 64 * 30], "signal", "wrist", "BVP"),
            "wrist_bvp ends at 30.0 s, chest_acc at 40.0 s",
        ),
        (
            other(lambda a: a / 64, "signal", "wrist", "ACC"),
            "'signal/wrist/ACC' has a median magnitude of 0.0157 g, about 1 expected",
        ),
        (
            other(lambda a: a * 9.81, "signal", "chest", "ACC"),
            "'signal/chest/ACC' has a median magnitude of 9.86 g, about 1 expected",
        ),
    ],
)
def test_damaged_content(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    content = wesad_content("S3")
    change(content)
    refused = refusal(python2_pickle(content, 2), tmp_path)
    assert refused.where.split(",")[0] == S3
    assert why in refused.why


def test_no_dict(tmp_path: Path) -> None:
    refused = refusal(python2_pickle("S3"), tmp_path)
    assert refused == Refusal(S3, "holds a str, a dict is expected.")


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9999])
def test_a_file_that_is_cut_short(tmp_path: Path, protocol: int, share: float) -> None:
    data = python2_pickle(wesad_content("S3"), protocol)
    refused = refusal(data[: int(share * len(data))], tmp_path)
    assert refused.where == S3
    assert "the pickle is cut short in byte" in refused.why


def test_a_hostile_file_is_refused_by_what_it_asks_for(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    python_2 = b"(dS'signal'\nposix\nsystem\n(S'touch " + str(proof).encode() + b"'\ntRs."

    class Evil:
        def __reduce__(self) -> object:
            return (os.system, (f"touch {proof}",))

    for i, data in enumerate(
        (pickle.dumps({"signal": Evil()}, 2), python_2.replace(b"posix", b"cposix"))
    ):
        refused = refusal(data, tmp_path / str(i))
        assert refused.where == S3
        assert "asks to load 'posix.system'" in refused.why or "'nt.system'" in refused.why
    assert not proof.exists()


def test_a_file_above_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_ts.signals.datasets.wesad.READER", replace(READER, max_bytes=1000))
    with pytest.raises(FormatError, match=r"S2\.pkl: the member is \d+ bytes large; at most 1000"):
        read_members(wesad_pickles(("S2",)), tmp_path)


def test_most_subjects_bad_is_an_error_with_the_first_reasons(tmp_path: Path) -> None:
    members = wesad_pickles() | {S3: b"", "WESAD/S2/S2.pkl": b""}
    with pytest.raises(FormatError, match=r"2 of 3 files .* \(1\) WESAD/S2/S2\.pkl: the pickle is"):
        read_members(members, tmp_path)


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'wesad' needs the path"):
        read("wesad", None)
    with pytest.raises(FormatError, match=r"holds no subject of WESAD .*It holds WESAD\.zip"):
        read_members({"WESAD.zip": b"PK"}, tmp_path)
