"""`init`: what is found in folders of unknown make, and that nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from own_data import signal, study, write_csv, write_parquet, zipped

from maestro_ts.errors import ConfigError, FormatError
from maestro_ts.signals.folder import parse_layout, read_folder
from maestro_ts.signals.folder.draft import draft_schema, write_draft
from maestro_ts.signals.folder.paths import guess_paths

T = np.arange(100)
XYZ = {axis: signal("walk", 1)[:100, i].tolist() for i, axis in enumerate("xyz")}


def guessed(path: Path) -> dict:
    tree: dict = yaml.safe_load(draft_schema(path).text)
    return tree


@pytest.mark.parametrize("parquet", [False, True], ids=["csv", "parquet"])
def test_the_draft_of_a_study_needs_only_the_rate_that_no_file_tells(
    tmp_path: Path, parquet: bool
) -> None:
    path = study(tmp_path / "study", parquet=parquet)
    with pytest.raises(ConfigError, match=r"there is a schema already.*--overwrite"):
        write_draft(path)
    target, draft = write_draft(path, overwrite=True)
    assert target == path / "schema.yaml"
    assert draft.open == ["rate_hz of temp: its file has no column that looks like time"]
    assert any("acc: 20 Hz" in g for g in draft.guessed)
    with pytest.raises(ConfigError, match=r"schema.yaml:\d+: modalities.temp: needs time"):
        read_folder(path)
    target.write_text(draft.text.replace("rate_hz: null", "rate_hz: 4"))
    found = read_folder(path)
    assert len(found.reading.recordings) == 6
    assert found.card.schema["acc"].rate_hz == 20
    assert found.card.schema["temp"].rate_hz == 4
    assert found.unused == ()


def test_a_draft_of_a_zip_lies_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    for subject in ("S1", "S2"):
        for label in ("run", "walk"):
            columns = {"timestamp (ms)": (1.7e12 + 50 * T).tolist()} | XYZ | {"hr": T.tolist()}
            write_csv(folder / f"{subject}_{label}.csv", columns, ";")
    path = zipped(folder, tmp_path / "a.zip", top="a/")
    target, draft = write_draft(path)
    assert target == tmp_path / "a.zip.schema.yaml"
    assert draft.open == []
    found = read_folder(path)
    assert found.card.classes == ("run", "walk")
    assert [r.subject for r in found.reading.recordings] == ["S1", "S1", "S2", "S2"]
    assert {m.name: (m.channels, m.rate_hz) for m in found.card.schema} == {
        "hr": (1, 20),
        "xyz": (3, 20),
    }
    assert found.card.windows.duration_s is None


@pytest.mark.parametrize(
    ("name", "stamps", "unit", "rate", "zero"),
    [
        ("t", (0.02 * T).tolist(), "s", 50, "as-is"),
        ("time", (20 * T).tolist(), "ms", 50, "as-is"),
        ("time_s", (20 * T).tolist(), "s", 0.05, "as-is"),
        ("t", (20_000 * T).tolist(), "us", 50, "as-is"),
        ("timestamp", (1.7e9 + 0.02 * T).tolist(), "s", 50, "first-sample"),
        ("timestamp", (1.7e15 + 20_000 * T).astype(int).tolist(), "us", 50, "first-sample"),
        ("date", [f"2024-05-31 10:00:{i / 50:06.3f}" for i in T], "datetime", 50, "first-sample"),
        ("t", np.sort(np.random.default_rng(0).uniform(0, 9, 100)).tolist(), "s", None, "as-is"),
    ],
)
def test_the_time_column_its_unit_and_the_rate(
    tmp_path: Path, name: str, stamps: list, unit: str, rate: float | None, zero: str
) -> None:
    write_csv(tmp_path / "a.csv", {"x": XYZ["x"], name: stamps})
    (modality,) = guessed(tmp_path)["modalities"].values()
    assert modality["time"] == {"column": name, "unit": unit} | (
        {"zero": zero} if zero != "as-is" else {}
    )
    assert modality.get("rate_hz") == rate
    assert modality["columns"] == ["x"]


def test_a_text_without_header_after_comments_with_decimal_commas(tmp_path: Path) -> None:
    rows = "".join(f"{i * 10};{i / 4}\n".replace(".", ",") for i in range(50))
    (tmp_path / "a.csv").write_text(f"# by a logger\n{rows}")
    tree = guessed(tmp_path)
    assert tree["csv"] == {"delimiter": ";", "decimal": ",", "header": False, "skip_lines": 1}
    (modality,) = tree["modalities"].values()
    assert (modality["time"]["column"], modality["columns"]) == (1, [2])


@pytest.mark.parametrize(
    ("tables", "labels", "subject"),
    [
        (
            {"labels.csv": {"recording": ["a"], "start": [0], "end": [1], "label": ["u"]}},
            "intervals",
            "recording",
        ),
        (
            {"recordings.csv": {"recording": ["a"], "subject": ["s"], "label": ["u"]}},
            "recordings",
            "recordings",
        ),
        ({}, None, "recording"),
    ],
)
def test_tables_of_labels_and_subjects(
    tmp_path: Path, tables: dict, labels: str | None, subject: str
) -> None:
    for name, columns in ({"a.csv": XYZ | {"t": T.tolist()}} | tables).items():
        write_csv(tmp_path / name, columns)
    tree = guessed(tmp_path)
    assert (tree.get("labels") or {}).get("from") == labels
    assert tree["subject"]["from"] == subject
    parse_layout(draft_schema(tmp_path).text, "draft")
    write_draft(tmp_path)
    assert len(read_folder(tmp_path).reading.recordings) == 1


def test_labels_beside_the_samples(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", XYZ | {"t": T.tolist(), "activity": ["u"] * 100})
    tree = guessed(tmp_path)
    assert tree["labels"] == {"from": "column", "column": "activity", "modality": "xyz"}


def test_a_folder_without_samples_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    with pytest.raises(FormatError, match=r"holds no file of signals"):
        draft_schema(tmp_path)
    write_csv(tmp_path / "recordings.csv", {"recording": ["a"], "label": ["u"]})
    with pytest.raises(FormatError, match=r"tables of labels only"):
        draft_schema(tmp_path)
    write_csv(tmp_path / "a.csv", {"name": ["x"]})
    with pytest.raises(FormatError, match=r"a.csv: no column of numbers"):
        draft_schema(tmp_path)


@pytest.mark.parametrize(
    ("paths", "patterns"),
    [
        (
            ["S1_walk_acc.csv", "S1_walk_eda.csv"],
            {"acc": "{subject}_{recording}_acc.csv", "eda": "{subject}_{recording}_eda.csv"},
        ),
        (["walk/S1.csv", "run/S1.csv", "walk/S2.csv", "run/S2.csv"], {"": "{label}/{subject}.csv"}),
        (["S1/walk.csv", "S1/run.csv", "S2/walk.csv", "S2/run.csv"], {"": "{subject}/{label}.csv"}),
        (["data/ann/acc.csv", "data/bob/acc.csv"], {"acc": "data/{recording}/acc.csv"}),
        (["a.csv", "b.csv"], {"": "{recording}.csv"}),
    ],
)
def test_patterns_from_paths(paths: list[str], patterns: dict[str, str]) -> None:
    assert guess_paths(paths, dict.fromkeys(paths, ("t", "x"))).patterns == patterns
