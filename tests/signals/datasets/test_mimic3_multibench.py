from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from layout_mimic3 import LABELS, mimic3_content
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.datasets.mimic3_multibench import mortality_class
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.symbolizer import Symbolizer

NAME = "mimic3-multibench"


def save(content: object, root: Path) -> Path:
    path = root / "im.pk"
    path.write_bytes(pickle.dumps(content))
    return path


def windows_of(reading: Reading) -> Windows:
    return cut(reading.recordings, card(NAME).schema, card(NAME).windows)


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_stays_are_read(tmp_path: Path, kind: str, protocol: int) -> None:
    data = pickle.dumps(mimic3_content(), protocol)
    path = write({"mimic/im.pk": data}, tmp_path, "folder" if kind == "file" else kind)
    if kind == "file":
        path = path / "mimic" / "im.pk"
    told: list[tuple[int, int]] = []
    reading = read(NAME, path, lambda done, total: told.append((done, total)))
    assert told == [(i, 7) for i in range(1, 8)]
    assert not reading.refused
    assert [r.source for r in reading.recordings] == [f"im.pk#{i}" for i in range(7)]
    assert len({r.subject for r in reading.recordings}) == 7
    assert [r.labels[0].label for r in reading.recordings] == [
        *("beyond_1_year", "1_day", "2_days", "3_days", "30_days", "1_year", "beyond_1_year"),
    ]


def multibench_class(row: list[float]) -> int:
    """The rule as MultiBench documents it, one comparison after the other."""
    for column in range(1, 6):
        if row[column] > 0:
            return column
    return 0


def test_the_rule_agrees_with_a_plain_loop_on_every_row() -> None:
    classes = card(NAME).classes
    for number in range(64):
        row = [float(number >> bit & 1) for bit in range(6)]
        assert mortality_class(np.array(row), "x") == classes[multibench_class(row)]


def test_every_value_goes_to_its_modality(tmp_path: Path) -> None:
    content = mimic3_content()
    streams = read(NAME, save(content, tmp_path)).recordings[1].streams
    assert streams.keys() == set(card(NAME).schema.names)
    raw = content["ep_tdata"][1].astype(np.float32)
    for i, name in enumerate(("glasgow_coma_scale", "systolic_bp", "heart_rate", "temperature")):
        assert np.array_equal(streams[name].values[:, 0], raw[:, i])
    assert np.array_equal(streams["bilirubin"].values[:, 0], raw[:, 11])
    assert streams["bilirubin"].rate_hz == 1 / 3600
    for i, name in enumerate(("age", "aids", "hematologic_malignancy", "metastatic_cancer")):
        assert streams[name].values.tolist() == [[np.float32(content["adm_features_all"][1, i])]]
        assert streams[name].rate_hz is None
        assert streams[name].sample_times().tolist() == [0.0]


def test_nan_and_infinity_are_missing_and_noted(tmp_path: Path) -> None:
    reading = read(NAME, save(mimic3_content(), tmp_path))
    notes = {r.source: r.notes for r in reading.recordings if r.notes}
    assert notes == {
        "im.pk#3": ("pao2_fio2: 1 infinite values taken as missing.",),
        "im.pk#4": ("age: 1 infinite values taken as missing.",),
    }
    pao2 = reading.recordings[3].streams["pao2_fio2"].values[:, 0]
    assert np.flatnonzero(np.isnan(pao2)).tolist() == [5]
    absent = ~windows_of(reading).present
    schema = card(NAME).schema
    assert {(int(i), schema.names[m]) for i, m in zip(*np.nonzero(absent), strict=True)} == {
        *((2, "bilirubin"), (4, "age"), (5, "aids")),
    }


def test_a_stay_is_a_window_with_statics(tmp_path: Path) -> None:
    reading = read(NAME, save(mimic3_content(), tmp_path))
    windows = windows_of(reading)
    assert len(windows) == 7
    assert (windows.duration_s == 24 * 3600).all()
    schema = windows.schema
    assert len(schema) == 17
    for modality in schema:
        lengths = windows.samples[modality.name].lengths
        assert (lengths == (1 if modality.static else 24)).all()
    assert sum(m.static for m in schema) == 5


def test_statics_reach_the_symbols(tmp_path: Path) -> None:
    windows = windows_of(read(NAME, save(mimic3_content(), tmp_path)))
    age = Symbolizer(SymbolSettings()).fit(windows)(windows)["age"].tokens
    assert age.shape[1] == 1
    assert (age == 0).reshape(7, -1).all(axis=1).tolist() == [i == 4 for i in range(7)]


def test_a_stay_without_a_label_is_refused(tmp_path: Path) -> None:
    content = mimic3_content()
    labels = np.array(LABELS, float)
    labels[1, 3] = np.nan
    labels[2, 0] = np.nan  # not used
    reading = read(NAME, save(content | {"adm_labels_all": labels}, tmp_path))
    assert [(r.where, r.why) for r in reading.refused] == [("im.pk#1", "a label is missing.")]
    assert len(reading.recordings) == 6
    with pytest.raises(FormatError, match=r"7 of 7 files .* im\.pk#0: a label is missing"):
        read(NAME, save(content | {"adm_labels_all": labels * np.nan}, tmp_path))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ep_tdata": np.zeros((7, 24, 15))}, r"'ep_tdata' is float64 of shape \(7, 24, 15\); num"),
        ({"ep_tdata": np.zeros((7, 48, 12))}, r"numbers of shape \(n, 24, 12\) expected"),
        ({"ep_tdata": np.array(["x"] * 7)}, "'ep_tdata' is <U1 of shape"),
        ({"adm_features_all": np.zeros((7, 4))}, r"\(n, 5\) expected"),
        ({"adm_features_all": np.full((7, 5), None)}, "'adm_features_all' is object of shape"),
        ({"adm_labels_all": np.zeros((7, 2))}, r"\(n, 6\) expected"),
        ({"adm_labels_all": np.zeros((6, 6))}, "7 rows of series, 7 of statics, 6 of labels"),
    ],
)
def test_other_content(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    with pytest.raises(FormatError, match=rf"im\.pk: .*{expected}"):
        read(NAME, save(mimic3_content() | change, tmp_path))


def test_an_entry_missing_no_dict_and_no_rows(tmp_path: Path) -> None:
    content = mimic3_content()
    empty = {name: array[:0] for name, array in content.items()}
    with pytest.raises(FormatError, match="0 rows of series"):
        read(NAME, save(empty, tmp_path))
    del content["adm_labels_all"]
    with pytest.raises(FormatError, match="the entry 'adm_labels_all' is missing"):
        read(NAME, save(content, tmp_path))
    with pytest.raises(FormatError, match="holds a list, a dict is expected"):
        read(NAME, save([1], tmp_path))


def test_a_hostile_file_is_refused_by_name(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> object:
            return (os.system, (f"touch {tmp_path / 'proof'}",))

    with pytest.raises(FormatError, match=r"im\.pk: .*asks to load '\w+\.system'"):
        read(NAME, save(mimic3_content() | {"y_icd9": Evil()}, tmp_path))
    assert not (tmp_path / "proof").exists()


def test_files_that_are_cut_short(tmp_path: Path) -> None:
    path = save(mimic3_content(), tmp_path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FormatError, match=r"im\.pk: .*cut short"):
        read(NAME, path)
    archive = write({"im.pk": pickle.dumps(mimic3_content())}, tmp_path, "zip")
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(FormatError, match=r"archive\.zip: the archive is cut short"):
        read(NAME, archive)


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'mimic3-multibench' needs the path"):
        read(NAME, None)
    with pytest.raises(DataError, match="no such file or folder"):
        read(NAME, tmp_path / "nowhere")
    with pytest.raises(FormatError, match=r"holds no im\.pk"):
        read(NAME, write({"x.csv": b"1"}, tmp_path, "folder"))


def test_the_card_says_what_is_not_known() -> None:
    said = " ".join(card(NAME).quirks)
    assert "'1 week'" in said
    assert "one patient may have several rows" in said
    assert not card(NAME).read_on_real_data
