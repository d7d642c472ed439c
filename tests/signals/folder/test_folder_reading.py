"""Every style in which one's own data may lie, read as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from own_data import CLASSES, SUBJECTS, study, write_csv, write_parquet, write_schema, zipped

from maestro_ts.errors import ConfigError, DataError, FormatError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.folder import FolderReading, is_folder, parse_layout, read_folder
from maestro_ts.signals.recording import Interval, Recording


def one(
    folder: Path, tree: dict[str, Any], files: dict[str, dict[str, list]], **kwargs: Any
) -> FolderReading:
    """Write a schema and some tables, and read them."""
    for name, columns in files.items():
        writer = write_parquet if name.endswith(".parquet") else write_csv
        writer(folder / name, columns)
    write_schema(folder, {"format": 1, "subject": {"from": "recording"}} | tree)
    return read_folder(folder, **kwargs)


def first(found: FolderReading) -> Recording:
    return found.reading.recordings[0]


X = {"x": [1.0, 2.0, 3.0, 4.0]}
BASIC = {"modalities": {"acc": {"file": "{recording}.csv", "columns": ["x"], "rate_hz": 2}}}


@pytest.mark.parametrize("parquet", [False, True], ids=["csv", "parquet"])
@pytest.mark.parametrize("where", ["folder", "zip", "zip with a top", "schema beside"])
def test_a_study_is_read_alike_however_it_is_stored(
    tmp_path: Path, parquet: bool, where: str
) -> None:
    path = study(tmp_path / "study", parquet=parquet)
    if where == "schema beside":
        text = (path / "schema.yaml").read_text()
        (path / "schema.yaml").unlink()
        (tmp_path / "s.zip.schema.yaml").write_text(text)
    if where != "folder":
        top = "study/" if where.endswith(("top", "beside")) else ""
        path = zipped(path, tmp_path / "s.zip", top=top)
    assert is_folder(path)
    found = read_folder(path)
    assert found.unused == ()
    assert found.reading.refused == []
    assert [r.source for r in found.reading.recordings] == [
        f"{s}/{s}-{k}" for s in SUBJECTS for k in (0, 1)
    ]
    assert [r.labels[0].label for r in found.reading.recordings] == list(CLASSES) * 3
    assert [r.subject for r in found.reading.recordings] == [s for s in SUBJECTS for _ in CLASSES]
    acc = first(found).streams["acc"]
    assert acc.times is not None
    np.testing.assert_array_equal(acc.times, np.arange(240) / 20)
    assert first(found).streams["temp"].times is None
    assert found.card.schema["acc"].device == found.card.schema["temp"].device == "wrist"
    assert found.card.classes == CLASSES
    windows = cut(found.reading.recordings, found.card.schema, found.card.windows)
    assert len(windows) == 18
    assert windows.present.all()


def test_an_archive_of_something_else_is_no_folder(tmp_path: Path) -> None:
    assert not is_folder(tmp_path / "no")
    assert not is_folder(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    assert not is_folder(tmp_path / "x.zip")
    with pytest.raises(DataError, match=r"holds no schema.yaml.*maestro-ts init"):
        read_folder(zipped(study(tmp_path / "s") / "S1", tmp_path / "bare.zip"))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"from": "recording"}, "a"),
        ({"from": "recordings"}, "anna"),
        ({"from": "recordings", "file": "who.csv", "column": "name"}, "bob"),
    ],
)
def test_subjects(tmp_path: Path, subject: dict[str, str], expected: str) -> None:
    files = {
        "a.csv": X,
        "recordings.csv": {"recording": ["a"], "subject": ["anna"]},
        "who.csv": {"recording": ["a"], "name": ["bob"]},
    }
    tree = BASIC | {"subject": subject}
    tree["modalities"] = {"acc": BASIC["modalities"]["acc"] | {"file": "{recording:a}.csv"}}
    assert first(one(tmp_path, tree, files)).subject == expected


def test_a_recording_without_subject_is_refused_by_name(tmp_path: Path) -> None:
    files = {
        "a.csv": X,
        "b.csv": X,
        "recordings.csv": {"recording": ["a", "b"], "subject": ["s", ""]},
    }
    found = one(tmp_path, BASIC | {"subject": {"from": "recordings"}}, files)
    assert [r.source for r in found.reading.recordings] == ["a"]
    assert [(r.where, r.why) for r in found.reading.refused] == [
        ("recordings.csv", "recording 'b' has no subject.")
    ]


def test_labels_from_intervals_of_one_table(tmp_path: Path) -> None:
    table = {
        "recording": ["a", "b", "a"],
        "start": [1, 0, 0],
        "end": [2, 1, 1],
        "label": ["v", "u", "u"],
    }
    tree = BASIC | {"labels": {"from": "intervals"}, "windows": {"duration_s": 1}}
    found = one(tmp_path, tree, {"a.csv": X, "b.csv": X, "labels.csv": table})
    assert first(found).labels == (Interval(0, 1, "u"), Interval(1, 2, "v"))
    assert found.reading.recordings[1].labels == (Interval(0, 1, "u"),)


def test_labels_from_intervals_beside_each_recording(tmp_path: Path) -> None:
    tree = {
        "modalities": {"acc": {"file": "{recording}/acc.csv", "columns": ["x"], "rate_hz": 2}},
        "labels": {"from": "intervals", "file": "{recording}/labels.csv", "unit": "ms"},
        "windows": {"duration_s": 1},
    }
    table = {"start": [0, 1000], "end": [1000, 2000], "label": ["u", "v"]}
    files = {"a/acc.csv": X, "a/labels.csv": table, "b/acc.csv": X}
    found = one(tmp_path, tree, files)
    assert first(found).labels == (Interval(0, 1, "u"), Interval(1, 2, "v"))
    assert found.reading.recordings[1].labels == ()
    assert found.unused == ()


def test_labels_from_a_column_are_runs_and_empty_is_none(tmp_path: Path) -> None:
    tree = BASIC | {"labels": {"from": "column"}, "windows": {"duration_s": 0.5}}
    found = one(tmp_path, tree, {"a.csv": X | {"label": ["u", "u", "", "v"]}})
    assert first(found).labels == (Interval(0, 1, "u"), Interval(1.5, 2, "v"))


def test_labels_from_the_path(tmp_path: Path) -> None:
    tree = {
        "modalities": {"acc": {"file": "{label}/{recording}.csv", "columns": ["x"], "rate_hz": 2}},
        "labels": {"from": "path", "classes": ["v", "u"]},
    }
    found = one(tmp_path, tree, {"u/1.csv": X, "v/1.csv": X})
    assert [(r.source, r.labels) for r in found.reading.recordings] == [
        ("u/1", (Interval(0, 2, "u"),)),
        ("v/1", (Interval(0, 2, "v"),)),
    ]
    assert found.card.classes == ("v", "u")


def test_labels_are_not_looked_for_when_not_wanted(tmp_path: Path) -> None:
    tree = BASIC | {"labels": {"from": "intervals"}}
    found = one(tmp_path, tree, {"a.csv": X}, labelled=False)
    assert first(found).labels == ()
    with pytest.raises(FormatError, match=r"labels.csv: no such file"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("unit", "stamps"),
    [
        ("s", [10.0, 10.5, 11.0, 11.5]),
        ("ms", [10_000, 10_500, 11_000, 11_500]),
        ("us", [10_000_000, 10_500_000, 11_000_000, 11_500_000]),
        ("ms", [1_700_000_000_000 + i * 500 for i in range(4)]),
        ("datetime", [f"2024-05-31T13:45:1{s}" for s in ("0", "0.5", "1.000", "1.500000")]),
        ("datetime", [f"2024-05-31T13:45:1{s}Z" for s in ("0", "0.5", "1.000", "1.500000")]),
        ("datetime", [f"20240531T13451{s}" for s in ("0", "0.5", "1", "1.5")]),
    ],
)
def test_times_of_every_unit_count_from_the_first_sample(
    tmp_path: Path, unit: str, stamps: list
) -> None:
    time = {"column": "t", "unit": unit, "zero": "first-sample"}
    tree = {"modalities": {"acc": {"file": "{recording}.csv", "columns": ["x"], "time": time}}}
    stream = first(one(tmp_path, tree, {"a.csv": X | {"t": stamps}})).streams["acc"]
    assert stream.rate_hz is None
    np.testing.assert_array_equal(stream.times, [0, 0.5, 1, 1.5])


def test_time_stamps_of_parquet(tmp_path: Path) -> None:
    stamps = np.array(["2024-05-31T13:45:10", "2024-05-31T13:45:10.500"], "datetime64[us]")
    time = {"column": "t", "unit": "datetime"}
    tree = {"modalities": {"acc": {"file": "{recording}.parquet", "columns": ["x"], "time": time}}}
    stream = first(one(tmp_path, tree, {"a.parquet": {"x": [1, 2], "t": stamps}})).streams["acc"]
    np.testing.assert_array_equal(stream.times, [0, 0.5])
    assert stream.values.tolist() == [[1], [2]]


def test_two_devices_keep_their_offset_unless_they_have_no_common_clock(tmp_path: Path) -> None:
    time = {"column": "t", "unit": "s", "zero": "first-sample"}
    modality = {"columns": ["x"], "time": time}
    tree = {
        "modalities": {
            "acc": modality | {"file": "{recording}_acc.csv"},
            "eda": modality | {"file": "{recording}_eda.csv"},
        },
        "labels": {"from": "intervals", "unit": "s"},
        "windows": {"duration_s": 1},
    }
    files = {
        "a_acc.csv": X | {"t": [100.0, 101, 102, 103]},
        "a_eda.csv": X | {"t": [103.0, 104, 105, 106]},
        "labels.csv": {"recording": ["a"], "start": [101], "end": [103], "label": ["u"]},
    }
    shared = first(one(tmp_path, tree, files))
    assert shared.streams["acc"].sample_times()[0] == 0
    assert shared.streams["eda"].sample_times()[0] == 3
    assert shared.labels == (Interval(1, 3, "u"),)
    aligned = first(one(tmp_path, tree | {"clock": "start-aligned"}, files))
    assert aligned.streams["eda"].sample_times()[0] == 0
    assert aligned.clock == "start-aligned"


def test_times_as_they_are_before_zero_are_noted(tmp_path: Path) -> None:
    time = {"column": "t", "unit": "s"}
    tree = {"modalities": {"acc": {"file": "{recording}.csv", "columns": ["x"], "time": time}}}
    recording = first(one(tmp_path, tree, {"a.csv": X | {"t": [-1.0, 0, 0, 1]}}))
    assert recording.streams["acc"].sample_times().tolist() == [-1, 0, 0, 1]
    assert recording.notes == ("acc: 1 samples before 0 s lie in no window.",)


def test_missing_is_nan_and_an_absent_file_an_absent_sensor(tmp_path: Path) -> None:
    tree = {
        "modalities": {
            "acc": {"file": "{recording}_acc.csv", "columns": ["x", "y"], "rate_hz": 2},
            "eda": {"file": "{recording}_eda.csv", "columns": ["x"], "rate_hz": 2},
        }
    }
    (tmp_path / "a_acc.csv").write_text("y,x\n1,\nNaN,2\n , NA \n")
    (tmp_path / "b_acc.csv").write_text("y,x\n1,2")
    (tmp_path / "b_eda.csv").write_text("x\n")
    found = one(tmp_path, tree, {})
    a, b = found.reading.recordings
    assert set(a.streams) == {"acc"}
    np.testing.assert_array_equal(a.streams["acc"].values, [[np.nan, 1], [2, np.nan], [np.nan] * 2])
    assert set(b.streams) == {"acc"}
    assert b.notes == (
        "b_acc.csv: the last line has no end: is the file complete?",
        "eda: b_eda.csv has no rows, taken as absent.",
    )


def test_a_german_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffx;Größe\r\n1,5;2\r\n-2,25;3\r\n".encode())
    modality = {"file": "{recording}.csv", "columns": ["x", "Größe"], "rate_hz": 1}
    tree = {"csv": {"delimiter": ";", "decimal": ","}, "modalities": {"acc": modality}}
    assert first(one(tmp_path, tree, {})).streams["acc"].values.tolist() == [[1.5, 2], [-2.25, 3]]


def test_columns_by_position_after_lines_of_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# device 7\n# g\n1\t2\t3\n4\t5\t6\n")
    modality = {"file": "{recording}.csv", "columns": [3, 1], "rate_hz": 1}
    csv = {"delimiter": "\t", "header": False, "skip_lines": 2}
    found = one(tmp_path, {"csv": csv, "modalities": {"acc": modality}}, {})
    assert first(found).streams["acc"].values.tolist() == [[3, 1], [6, 4]]


@pytest.mark.parametrize("owner", ["recording", "subject"])
def test_a_static_modality_holds_for_every_window(tmp_path: Path, owner: str) -> None:
    static = {"file": "people.csv", "columns": ["age"], "unit": "years", "static": True}
    tree = {
        "modalities": {
            "acc": {"file": "{subject}.csv", "columns": ["x"], "rate_hz": 2},
            "age": static,
        },
        "subject": {"from": "path"},
        "windows": {"duration_s": 1},
    }
    files = {"people.csv": {owner: ["S1", "S3"], "age": [30, 50]}, "S1.csv": X, "S2.csv": X}
    found = one(tmp_path, tree, files)
    windows = cut(found.reading.recordings, found.card.schema, found.card.windows)
    assert windows.subjects.tolist() == ["S1", "S1", "S2", "S2"]
    assert windows.present[:, windows.schema.index("age")].tolist() == [True, True, False, False]
    values, _ = windows.samples["age"].window(1)
    assert values.tolist() == [[30]]


def test_a_static_modality_in_a_file_of_its_own(tmp_path: Path) -> None:
    tree = {
        "modalities": {
            "acc": {"file": "{subject}/acc.csv", "columns": ["x"], "rate_hz": 2},
            "age": {"file": "{subject}/person.csv", "columns": ["age"], "static": True},
        },
        "subject": {"from": "path"},
    }
    found = one(tmp_path, tree, {"S1/acc.csv": X, "S1/person.csv": {"age": [30]}, "S2/acc.csv": X})
    assert first(found).streams["age"].values.tolist() == [[30]]
    assert "age" not in found.reading.recordings[1].streams


def test_tables_may_call_a_recording_by_its_short_name_if_it_is_the_only_one(
    tmp_path: Path,
) -> None:
    tree = {
        "modalities": {
            "acc": {"file": "{subject}/{recording}.csv", "columns": ["x"], "rate_hz": 2}
        },
        "subject": {"from": "path"},
        "labels": {"from": "recordings"},
    }
    table = {"recording": ["r", "S2/s", "gone"], "label": ["u", "v", "w"]}
    found = one(tmp_path, tree, {"S1/r.csv": X, "S2/s.csv": X, "recordings.csv": table})
    assert [r.labels[0].label for r in found.reading.recordings] == ["u", "v"]
    (refusal,) = found.reading.refused
    assert refusal.where == "recordings.csv:4"
    assert "'gone' has no file" in refusal.why
    write_csv(tmp_path / "S2/r.csv", X)
    with pytest.raises(FormatError, match=r"recordings.csv:2: 2 recordings are called 'r'.*S1/r"):
        read_folder(tmp_path)


def test_files_that_nothing_names_are_told(tmp_path: Path) -> None:
    (tmp_path / ".cache.csv").touch()
    (tmp_path / "notes.md").touch()
    found = one(tmp_path, BASIC, {"a.csv": X, "more/b.csv": X})
    assert found.unused == ("more/b.csv",)


def test_the_run_of_a_model_can_explain_a_folder_without_schema(tmp_path: Path) -> None:
    found = one(tmp_path, BASIC, {"a.csv": X})
    tree = yaml.safe_load(yaml.safe_dump(found.layout.to_tree()))
    (tmp_path / "schema.yaml").unlink()
    again = read_folder(tmp_path, layout=parse_layout(tree, "run"))
    assert again.layout == found.layout
    assert (
        first(again).streams["acc"].values.tolist() == first(found).streams["acc"].values.tolist()
    )


def test_several_labels_in_one_window_are_refused(tmp_path: Path) -> None:
    tree = BASIC | {"labels": {"from": "column"}}
    with pytest.raises(FormatError, match=r"a.csv: recording 'a' is one window.*u, v"):
        one(tmp_path, tree, {"a.csv": X | {"label": ["u", "u", "v", "v"]}})


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"schema format 2.*pip install --upgrade"):
        one(tmp_path, BASIC | {"format": 2}, {"a.csv": X})
