"""Folders of EDF, XDF, HDF5, avro, WFDB and E4 files: from a draft to recordings, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from format_files import (
    START_UNIX,
    edf_bytes,
    embrace_bytes,
    hdf5_bytes,
    wfdb_files,
    with_gap,
    xdf_bytes,
    xdf_header,
    xdf_offset,
    xdf_samples,
)
from hypothesis import given
from hypothesis import strategies as st
from own_data import signal, write_csv, zipped

from maestro_ts.errors import ConfigError, FormatError, MissingExtraError
from maestro_ts.signals.folder import parse_layout, read_folder
from maestro_ts.signals.folder.draft import write_draft
from maestro_ts.signals.folder.streams import at_rate
from maestro_ts.signals.recording import Recording, Stream

ACC = signal("walk", 1).astype(np.float32)  # 12 s at 20 Hz
EDA = np.linspace(1, 2, 48)  # 12 s at 4 Hz


def one(path: Path) -> Recording:
    found = read_folder(path)
    assert found.unused == ()
    assert found.reading.refused == []
    (recording,) = found.reading.recordings
    return recording


def schema(folder: Path, modalities: dict, **more: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tree = {"format": 1, "modalities": modalities, "subject": {"from": "recording"}} | more
    (folder / "schema.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder


def edf(values: np.ndarray = EDA, **more: object) -> bytes:
    return edf_bytes({"EEG a": (ACC[:, 0], 20), "EEG b": (ACC[:, 1], 20), "Temp": (values, 4)})


def wfdb(folder: Path) -> None:
    wfdb_files(folder, "a", {"ecg x": (ACC[:, 0], 2), "resp": (ACC[:120, 1], 1)})


def write_formats(folder: Path, name: str) -> None:
    """One recording `a` in the format of the name."""
    stamps = [600 + i / 20 for i in range(240)]
    content = {
        "edf": lambda: edf(),
        "xdf": lambda: xdf_bytes(
            xdf_header(1, "Acc", 3, 20, labels="xyz"),
            xdf_header(2, "Gsr", 1, 0, "double64"),
            xdf_samples(1, ACC, stamps),
            xdf_samples(2, EDA[:, None], [600.5 + i / 4 for i in range(48)]),
        ),
        "h5": lambda: hdf5_bytes(
            {"/w/acc": ACC, "/w/eda": EDA}, {"/w/acc": {"fs": 20}, "/w/eda": {"fs": 4}}
        ),
        "avro": lambda: embrace_bytes((ACC * 2048).astype(int), EDA, acc_rate=20.001),
    }
    if name == "hea":
        pytest.importorskip("wfdb", reason="the extra wfdb is not installed")
        wfdb(folder)
    else:
        (folder / f"a.{name}").write_bytes(content[name]())


@pytest.mark.parametrize(
    ("name", "modalities"),
    [
        ("edf", {"eeg": (2, 20, "uV"), "temp": (1, 4, "uV")}),
        ("xdf", {"acc": (3, 20, "uV"), "gsr": (1, None, "")}),
        ("h5", {"w_acc": (3, 20, ""), "w_eda": (1, 4, "")}),
        ("avro", {"accelerometer": (3, 20, "g"), "eda": (1, 4, "uS")}),
        ("hea", {"ecg": (1, 20, "mV"), "resp": (1, 10, "mV")}),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_the_draft_of_a_container_needs_nothing_more(
    tmp_path: Path, name: str, modalities: dict, packed: bool
) -> None:
    place = tmp_path / "study"
    place.mkdir()
    write_formats(place, name)
    if packed:
        place = zipped(place, tmp_path / "study.zip", top="study/")
    _, draft = write_draft(place)
    assert not [text for text in draft.open if "rate" in text]
    found = read_folder(place)
    schema = {m.name: (m.channels, m.rate_hz, m.unit) for m in found.card.schema}
    assert schema == modalities
    recording = one(place)
    assert set(recording.streams) == set(modalities)
    assert recording.duration_s == pytest.approx(12.25 if name == "xdf" else 12, abs=0.51)


def test_streams_of_one_recording_keep_their_distance(tmp_path: Path) -> None:
    write_formats(tmp_path, "avro")
    write_draft(tmp_path)
    recording = one(tmp_path)
    assert recording.streams["accelerometer"].sample_times()[0] == 0
    assert recording.streams["eda"].sample_times()[0] == 0.5
    # 20.001 Hz was measured, 20 is the schema's: the samples stay where they were.
    times = recording.streams["accelerometer"].times
    assert times is not None
    assert times[-1] == pytest.approx(239 / 20.001, abs=1e-5)


def test_a_session_of_an_e4_is_read_as_it_is(tmp_path: Path) -> None:
    for subject, late in (("S1", 0), ("S2", 3)):
        place = tmp_path / "in" / subject
        place.mkdir(parents=True)
        rows = "".join(f"{i},{i},64\n" for i in range(-32, 32))
        head = ", ".join([f"{START_UNIX:.6f}"] * 3) + "\n32.000000, 32.000000, 32.000000\n"
        (place / "ACC.csv").write_text(head + rows)
        (place / "EDA.csv").write_text(f"{START_UNIX + late}\n4.0\n" + "0.5\n" * 8)
        (place / "IBI.csv").write_text(f"{START_UNIX}, IBI\n0.7,0.8\n")
    path = zipped(tmp_path / "in", tmp_path / "e4.zip")
    _, draft = write_draft(path)
    tree = yaml.safe_load(draft.text)["modalities"]
    assert {n: (m["format"], m["rate_hz"]) for n, m in tree.items()} == {
        "acc": ("e4", 32),
        "eda": ("e4", 4),
    }
    first, second = read_folder(path).reading.recordings
    assert first.streams["acc"].values[:2].tolist() == [[-32, -32, 64], [-31, -31, 64]]
    assert (first.streams["eda"].start_s, second.streams["eda"].start_s) == (0, 3)
    alone = zipped(tmp_path / "in" / "S2", tmp_path / "1700000000_A00204.zip")
    write_draft(alone)
    session = read_folder(alone).reading.recordings[0]
    assert session.subject == "1700000000_A00204"
    assert set(session.streams) == {"acc", "eda"}


def test_a_gap_of_a_discontinuous_edf_file_is_a_jump_in_the_times(tmp_path: Path) -> None:
    noted = edf_bytes({"Temp": (EDA, 4)}, annotations=[(1, 2, "x")])
    (tmp_path / "a.edf").write_bytes(with_gap(noted, 5, 100))
    schema(tmp_path, {"temp": {"file": "{recording}.edf", "columns": ["Temp"], "rate_hz": 4}})
    stream = one(tmp_path).streams["temp"]
    assert stream.times is not None
    steps = np.diff(stream.times)
    assert (np.delete(steps, 19) == 0.25).all()
    assert steps[19] == 100.25


def test_clocks_of_several_computers_become_one(tmp_path: Path) -> None:
    data = xdf_bytes(
        xdf_header(1, "a", 1, 10),
        xdf_header(2, "b", 1, 10),
        xdf_samples(1, ACC[:20, :1], [100 + i / 10 for i in range(20)]),
        xdf_samples(2, ACC[:20, :1], [9100 + i / 10 for i in range(20)]),
        *(xdf_offset(2, 9100 + t, -9000.0) for t in (0.0, 5.0)),
    )
    (tmp_path / "a.xdf").write_bytes(data)
    streams = {n: {"file": "{recording}.xdf", "stream": n, "columns": [1]} for n in "ab"}
    schema(tmp_path, streams)
    recording = one(tmp_path)
    assert recording.streams["b"].sample_times()[0] == pytest.approx(0, abs=1e-6)
    assert recording.duration_s == pytest.approx(2)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"rate_hz": 5}, "the rate is 4 Hz, schema.yaml states 5"),
        ({"columns": ["Temp", "EEG a"]}, "signals of one modality have several rates"),
        ({"columns": ["Tmp"]}, "no column 'Tmp'"),
        ({"stream": "x"}, "has no streams"),
        ({"format": "xdf"}, "no XDF file"),
    ],
)
def test_what_does_not_fit_the_file_is_refused_by_name(
    tmp_path: Path, change: dict, what: str
) -> None:
    (tmp_path / "a.edf").write_bytes(edf())
    schema(tmp_path, {"temp": {"file": "{recording}.edf", "columns": ["Temp"]} | change})
    with pytest.raises(FormatError, match=rf"a\.edf: {what}"):
        read_folder(tmp_path)


def test_files_of_quite_another_rate_are_left_out_by_name(tmp_path: Path) -> None:
    for name, rate in (("a", 4), ("b", 4), ("c", 8)):
        values = np.tile(EDA, rate // 4)
        (tmp_path / f"{name}.edf").write_bytes(edf_bytes({"Temp": (values, rate)}))
    schema(tmp_path, {"temp": {"file": "{recording}.edf", "columns": ["Temp"]}})
    found = read_folder(tmp_path)
    assert [r.source for r in found.reading.recordings] == ["a", "b"]
    assert found.card.schema["temp"].rate_hz == 4
    assert [r.why for r in found.reading.refused] == ["temp has 8 Hz, the first recording 4 Hz."]


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["acc"] = ACC
    layout = h5py.VirtualLayout(shape=ACC.shape, dtype="f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "acc", shape=ACC.shape)
    place = schema(
        tmp_path / "in",
        {"acc": {"file": "{recording}.h5", "stream": "/acc", "columns": [1], "rate_hz": 20}},
    )
    (tmp_path / "raw").write_bytes(ACC[:, 0].astype("<f4").tobytes())
    for kind in ("link", "virtual", "external"):
        with h5py.File(place / "a.h5", "w") as file:
            if kind == "link":
                file["acc"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/acc")
            elif kind == "virtual":
                file.create_virtual_dataset("acc", layout)
            else:
                raw = [(str(tmp_path / "raw"), 0, 960)]
                file.create_dataset("acc", shape=(240,), dtype="<f4", external=raw)
        with pytest.raises(FormatError, match=r"a\.h5, /acc: (is a link|its values lie)"):
            read_folder(place)


def test_without_the_package_nobody_is_blamed_but_its_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.edf").write_bytes(edf())
    schema(tmp_path, {"temp": {"file": "{recording}.edf", "columns": ["Temp"]}})
    monkeypatch.setitem(__import__("sys").modules, "edfio", None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-ts\[readers\]"'):
        read_folder(tmp_path)


def test_a_format_that_is_none_is_refused_with_its_neighbours() -> None:
    tree = {"format": 1, "modalities": {"a": {"file": "{subject}.x", "columns": [1], "rate_hz": 1}}}
    tree["modalities"]["a"]["format"] = "edff"  # type: ignore[index]
    with pytest.raises(ConfigError, match=r"no such file format. Did you mean 'edf'"):
        parse_layout(yaml.safe_dump(tree), "schema.yaml")


def test_labels_and_texts_beside_containers_are_tables_as_before(tmp_path: Path) -> None:
    (tmp_path / "a.edf").write_bytes(edf())
    write_csv(
        tmp_path / "labels.csv", {"recording": ["a"], "start": [2], "end": [6], "label": ["u"]}
    )
    schema(
        tmp_path,
        {"temp": {"file": "{recording}.edf", "columns": ["Temp"]}},
        labels={"from": "intervals"},
    )
    (label,) = one(tmp_path).labels
    assert (label.start_s, label.end_s, label.label) == (2, 6, "u")


@pytest.mark.parametrize("apart", [False, True])
def test_annotations_that_last_are_labels(tmp_path: Path, apart: bool) -> None:
    noted = [(0, 4, "W"), (4, 3, "R"), (5, 0, "a cough"), (8, 2, "?")]
    signals = {"Temp": (EDA, 4)}
    names = ("a-PSG.edf", "a-Hypnogram.edf") if apart else ("a-PSG.edf", "a-PSG.edf")
    (tmp_path / names[0]).write_bytes(edf_bytes(signals))
    (tmp_path / names[1]).write_bytes(edf_bytes(signals, annotations=noted))
    labels = {"from": "annotations", "classes": ["W", "R"]}
    if apart:
        labels["file"] = "{recording}-Hypnogram.edf"
    schema(
        tmp_path,
        {"temp": {"file": "{recording}-PSG.edf", "columns": ["Temp"]}},
        labels=labels,
        windows={"duration_s": 1},
    )
    assert [(i.start_s, i.end_s, i.label) for i in one(tmp_path).labels] == [
        (0, 4, "W"),
        (4, 7, "R"),
    ]


@given(st.floats(0.5, 500), st.floats(-0.02, 0.02), st.floats(0, 100))
def test_another_nominal_rate_moves_no_sample(rate: float, off: float, start: float) -> None:
    stream = Stream(np.zeros((50, 1), np.float32), rate * (1 + off), start_s=start)
    found = at_rate(stream, rate)
    if abs(off) > 0.0051:
        assert found is None
    elif found is not None:
        assert found.rate_hz == rate
        assert np.allclose(found.sample_times(), stream.sample_times(), rtol=1e-9, atol=1e-6)
    else:
        assert abs(off) > 0.0049
