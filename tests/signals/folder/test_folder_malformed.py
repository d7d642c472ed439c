"""Malformed input of every kind: one clear error each, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from own_data import write_parquet

from maestro_ts.errors import ConfigError, FormatError
from maestro_ts.signals.folder import Layout, parse_layout, read_folder

TIME = {"column": "t", "unit": "s"}
ACC = {"file": "{recording}.csv", "columns": ["x", "y"], "time": TIME}
TREE = {"format": 1, "modalities": {"acc": ACC}, "subject": {"from": "recording"}}
GOOD = b"t,x,y\n0,1,2\n1,3,4\n"
PARQUET = {"acc": ACC | {"file": "{recording}.parquet"}}

FILES = {
    "empty": (b"", "bad.csv:1", "the file is empty"),
    "blank": (b"\n\n", "bad.csv:1", "the file is empty"),
    "no header": (b"\nt,x,y\n", "bad.csv:1", "no header in this line"),
    "a column is not there": (b"t,x,z\n0,1,2\n", "bad.csv:1", "no column 'y'"),
    "a column is there twice": (b"t,x,y,x\n0,1,2,3\n", "bad.csv:1", "2 columns are called 'x'"),
    "too few fields": (b"t,x,y\n0,1,2\n1,3\n", "bad.csv:3", "2 columns, 3 columns expected: '1,3'"),
    "too many fields": (b"t,x,y\n0,1,2,9\n", "bad.csv:2", "4 columns, 3 columns expected"),
    "cut short": (b"t,x,y\n0,1,2\n1,", "bad.csv:3", "2 columns, 3 columns expected"),
    "a line is empty": (b"t,x,y\n0,1,2\n\n1,2,3\n", "bad.csv:3", "an empty line"),
    "a word": (b"t,x,y\n0,1,2\n1,high,2\n", "bad.csv:3", "'high' in column 'x' is not a number"),
    "a decimal comma": (b't,x,y\n0,"1,5",2\n', "bad.csv:2", "'1,5' in column 'x'"),
    "thousands": (b"t,x,y\n0,1.000.000,2\n", "bad.csv:2", "'1.000.000' in column 'x'"),
    "infinity": (b"t,x,y\n0,1,2\n1,2,-inf\n", "bad.csv:3", "column 'y' is infinite"),
    "too large": (b"t,x,y\n0,1e39,2\n", "bad.csv:2", "1e+39, too large for 32 bits"),
    "the time goes back": (b"t,x,y\n0,1,2\n2,1,2\n1.5,1,2\n", "bad.csv:4", "2, then 1.5"),
    "a sample without time": (b"t,x,y\n0,1,2\n,1,2\n", "bad.csv:3", "no time in column 't'"),
    "a clock from 1970": (b"t,x,y\n1700000000,1,2\n", "bad.csv:2", "1700000000 s"),
    "not UTF-8": (b"t,x,y\n0,1,2\n0,1,\xb5\n", "bad.csv:3", "byte 0xb5 is not UTF-8"),
    "UTF-16": ("t,x,y\n0,1,2\n".encode("utf-16"), "bad.csv:1", "not a text in UTF-8"),
    "another delimiter": (b"t;x;y\n0;1;2\n", "bad.csv:1", "no column"),
    "a quote over two lines": (b't,x,y\n0,"1\n",2\n', "bad.csv:2", "columns expected"),
    "Parquet by another name": (b"PAR1\x00\x00", "bad.csv:1", "not a text in UTF-8"),
}


def layout(tree: dict[str, Any]) -> Layout:
    return parse_layout(yaml.safe_dump(tree, sort_keys=False), "schema.yaml")


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_is_refused_by_file_and_line_and_the_rest_is_read(
    tmp_path: Path, kind: str
) -> None:
    content, where, what = FILES[kind]
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_bytes(GOOD)
    (tmp_path / "bad.csv").write_bytes(content)
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE))
    found = read_folder(tmp_path)
    assert [r.source for r in found.reading.recordings] == ["a", "b"]
    (refusal,) = found.reading.refused
    assert refusal.where == where
    assert what in refusal.why
    assert "\n" not in refusal.why


@pytest.mark.parametrize(
    ("columns", "where", "what"),
    [
        (None, "bad.parquet", "no Parquet file"),
        ({"t": [0.0], "x": [1.0]}, "bad.parquet", "no column 'y'"),
        ({"t": [0.0], "x": [1.0], "y": ["a"]}, "bad.parquet", "column 'y' holds string"),
        ({"t": [0.0, 1], "x": [1, 2.0], "y": [0, float("inf")]}, "bad.parquet, row 2", "infinite"),
        (
            {"t": [1.0, 0], "x": [1, 2.0], "y": [0, 1.0]},
            "bad.parquet, row 2",
            "goes back: 1, then 0",
        ),
        ({"t": [None, 0.0], "x": [1, 2.0], "y": [0, 1.0]}, "bad.parquet, row 1", "no time"),
    ],
)
def test_a_bad_parquet_file_is_refused_by_file_and_row(
    tmp_path: Path, columns: dict | None, where: str, what: str
) -> None:
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", {"t": [0.0], "x": [1.0], "y": [2.0]})
    bad = tmp_path / "bad.parquet"
    if columns is None:
        bad.write_bytes((tmp_path / "a.parquet").read_bytes()[:-5])
    else:
        write_parquet(bad, columns)
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE | {"modalities": PARQUET}))
    (refusal,) = read_folder(tmp_path).reading.refused
    assert refusal.where == where
    assert what in refusal.why


def test_a_second_file_of_a_modality_is_refused(tmp_path: Path) -> None:
    tree = TREE | {"modalities": {"acc": ACC | {"file": "{recording:.}*.csv"}}}
    for name in ("a", "b", "b2"):
        (tmp_path / f"{name}.csv").write_bytes(GOOD)
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(tree))
    (refusal,) = read_folder(tmp_path).reading.refused
    assert refusal.where == "b2.csv"
    assert "a second file of modality 'acc' for recording 'b'; the first is b.csv" in refusal.why


def test_when_most_recordings_are_bad_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    for name in "bc":
        (tmp_path / f"{name}.csv").write_bytes(b"t,x,y\n0,1\n")
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE))
    with pytest.raises(FormatError, match=r"2 of 3 files cannot be read. \(1\) b.csv:2: 2 columns"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("labels", "text", "match"),
    [
        ("intervals", None, r"labels.csv: no such file, which labels in schema.yaml names"),
        ("intervals", "recording,start,label\na,0,u\n", r"labels.csv:1: no column 'end'"),
        (
            "intervals",
            "recording,start,end,label\na,1,0,u\n",
            r"labels.csv:2: the interval ends at 0",
        ),
        ("intervals", "recording,start,end,label\na,,1,u\n", r"labels.csv:2: an interval without"),
        (
            "intervals",
            "recording,start,end,label\na,0,1,\n",
            r"labels.csv:2: an interval without l",
        ),
        (
            "intervals",
            "recording,start,end,label\na,0,1,w\n",
            r"labels.csv:2: label 'w' is none of",
        ),
        ("intervals", "recording,start,end,label\na,0,x,u\n", r"labels.csv:2: 'x' in column 'end'"),
        ("recordings", "recording\na\n", r"recordings.csv:1: no column 'label'"),
        (
            "recordings",
            "recording,label\na,u\na,v\n",
            r"recordings.csv:3: .*two entries: 'u' and 'v'",
        ),
    ],
)
def test_a_bad_table_of_labels_stops_with_file_and_line(
    tmp_path: Path, labels: str, text: str | None, match: str
) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    said = {"labels": {"from": labels, "classes": ["u", "v"]}, "windows": {"duration_s": 1}}
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE | said))
    if text is not None:
        (tmp_path / f"{'labels' if labels == 'intervals' else labels}.csv").write_text(text)
    with pytest.raises(FormatError, match=match):
        read_folder(tmp_path)


def test_labels_that_overlap_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(GOOD)
    (tmp_path / "labels.csv").write_text(
        "recording,start,end,label\na,0,2,u\na,1,2,v\nb,0,1.5,u\nb,1,2,u\n"
    )
    said = {"labels": {"from": "intervals"}, "windows": {"duration_s": 1}}
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE | said))
    (refusal,) = read_folder(tmp_path).reading.refused
    assert refusal.where == "labels.csv:3"
    assert "'v' from 1 s overlaps 'u'" in refusal.why


def test_nothing_that_matches_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_bytes(GOOD)
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(TREE))
    with pytest.raises(FormatError, match=r"no file matches '{recording}.csv'.*'deep/a.csv'"):
        read_folder(tmp_path)


def test_a_table_of_a_static_modality_with_two_rows_for_one_is_refused(tmp_path: Path) -> None:
    age = {"file": "age.csv", "columns": ["age"], "static": True}
    (tmp_path / "age.csv").write_text("recording,age\na,1\na,2\n")
    for name in "abc":
        (tmp_path / f"{name}.csv").write_bytes(GOOD)
    tree = TREE | {"modalities": {"acc": ACC, "age": age}}
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(FormatError, match=r"age.csv:3: a second row for recording 'a'"):
        read_folder(tmp_path)


def test_a_static_modality_with_two_rows_in_a_file_of_its_own_is_refused(tmp_path: Path) -> None:
    age = {"file": "{recording}_age.txt", "columns": ["age"], "static": True}
    (tmp_path / "b_age.txt").write_text("age\n1\n2\n")
    for name in "abc":
        (tmp_path / f"{name}.csv").write_bytes(GOOD)
    tree = TREE | {"modalities": {"acc": ACC, "age": age}}
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump(tree))
    (refusal,) = read_folder(tmp_path).reading.refused
    assert (refusal.where, refusal.why) == ("b_age.txt", "2 rows, a static modality has one.")


SCHEMAS = {
    "not YAML": ("format: 1\nmodalities: [", r"schema.yaml:2: not YAML"),
    "a tab": ("format: 1\n\tname: x\n", r"schema.yaml:2: not YAML"),
    "empty": ("", r"schema.yaml:1: a schema is a mapping"),
    "a list": ("- a\n", r"schema.yaml:1: a schema is a mapping"),
    "a key twice": (
        "format: 1\nname: a\nname: b\n",
        r"schema.yaml:3: the key 'name' is given twice",
    ),
    "no format": ("name: a\n", r"the key 'format' is missing.*'modalities' is missing"),
    "no modalities": ("format: 1\nmodalities: {}\n", r"schema.yaml:2: modalities: "),
}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_that_cannot_be_read(kind: str) -> None:
    text, match = SCHEMAS[kind]
    with pytest.raises(ConfigError, match=match):
        parse_layout(text, "schema.yaml")


def changed(*path: str, **changes: Any) -> dict[str, Any]:
    """The good tree with keys added at a place."""
    tree: dict[str, Any] = yaml.safe_load(yaml.safe_dump(TREE))
    place = tree
    for part in path:
        place = place.setdefault(part, {})
    place |= changes
    return tree


A = ("modalities", "acc")
KEYS = {
    "top": (changed(windos={}), r":\d+: unknown key 'windos'. Did you mean 'windows'"),
    "modality": (changed(*A, colums=[]), r":\d+: unknown key 'modalities.acc.colums'.*'columns'"),
    "time": (changed(*A, "time", units="s"), r"'modalities.acc.time.units'. Did you mean 'unit'"),
    "labels": (changed("labels", frm="path"), r"'labels.frm'. Did you mean 'from'"),
    "unit": (changed(*A, "time", unit="min"), r"modalities.acc.time.unit: .*got 'min'"),
    "rate": (changed(*A, rate_hz=-1), r":\d+: modalities.acc.rate_hz: .*got -1"),
    "no time": (changed(*A, time=None), r"modalities.acc: needs time \(a column\) or rate_hz"),
    "a column twice": (changed(*A, columns=["x", "x"]), r"a column is named twice"),
    "no columns": (changed(*A, columns=[]), r"modalities.acc.columns: "),
    "an open brace": (
        changed(*A, file="{recording"),
        r"modalities.acc.file: a brace is not closed",
    ),
    "a brace too many": (changed(*A, file="recording}"), r"a brace closes that was not opened"),
    "no name in braces": (changed(*A, file="{1}.csv"), r"\{1\} is no name in braces"),
    "no regular expression": (changed(*A, file="{a:(}.csv"), r"no regular expression"),
    "a name with a dot": (changed("modalities", **{"a.b": ACC}), r"modality 'a.b': a name has"),
    "no subject": (changed(subject={"from": "path"}), r"no {subject} in the modalities' files"),
    "no label": (changed(labels={"from": "path"}), r"labels from: path needs {label}"),
    "label modality": (
        changed(labels={"from": "column", "modality": "ac"}),
        r"labels.modality 'ac' is none. Did you mean 'acc'",
    ),
    "whose column": (
        changed("modalities", eda=ACC | {"file": "{recording}_eda.csv"})
        | {"labels": {"from": "column"}},
        r"labels from: column needs modality",
    ),
    "other placeholders": (
        changed("modalities", eda=ACC | {"file": "{subject}/{recording}.csv"}),
        r"'acc' and 'eda' have other placeholders",
    ),
    "static with a rate": (changed(*A, static=True), r"a static modality has neither"),
    "a step alone": (changed(windows={"step_s": 1}), r"windows: step_s needs duration_s"),
    "a rule that is none": (
        changed(windows={"label_rule": "most"}),
        r":\d+: windows.label_rule: .*'majority'.*got 'most'",
    ),
    "a purity alone": (
        changed(windows={"purity": 0.8}),
        r":\d+: windows: purity is given with label_rule 'inside'",
    ),
    "too much inside": (
        changed(windows={"duration_s": 4, "min_inside": 2}),
        r":\d+: windows: min_inside must lie in \(0, 1\]",
    ),
    "a path with a file": (changed(labels={"from": "path", "file": "x"}), r"takes no file"),
    "moments as they are": (
        changed(*A, "time", unit="datetime", zero="as-is"),
        r"unit datetime needs zero: first-sample",
    ),
    "one sign for two": (changed(csv={"decimal": ",", "delimiter": ","}), r"are the same"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_does_not_fit_is_named_with_its_line(kind: str) -> None:
    tree, match = KEYS[kind]
    with pytest.raises(ConfigError, match=match) as caught:
        layout(tree)
    assert caught.value.where.startswith("schema.yaml")


def test_all_problems_are_told_at_once() -> None:
    tree = changed(*A, colums=[], rate_hz=0) | {"nam": "x"}
    with pytest.raises(ConfigError) as caught:
        layout(tree)
    for part in ("colums", "rate_hz", "'nam'"):
        assert part in str(caught.value)
