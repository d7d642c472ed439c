from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from maestro_ts.errors import ConfigError, DataError, FormatError, RunError
from maestro_ts.evaluation.events import EventRule
from maestro_ts.experiments.event_job import check_merging, merge_table, read_predictions

TABLE: dict[str, list[Any]] = {
    "source": ["b", "a", "a", "a"],
    "subject": ["s2", "s1", "s1", "s1"],
    "start_s": [0.0, 0.0, 2.0, 6.0],
    "duration_s": [4.0, 4.0, 4.0, 4.0],
    "predicted": ["rest", "rest", "fall", "rest"],
    "p_rest": [1.0, 0.75, 0.25, 1.0],
    "p_fall": [0.0, 0.25, 0.75, 0.0],
    "present_acc": [True, True, True, False],
    "prior": [False, False, False, True],
}


def written(path: Path, **changes: Any) -> Path:
    columns = {k: v for k, v in (TABLE | changes).items() if v is not None}
    pq.write_table(pa.table(columns), path / "p.parquet")
    return path / "p.parquet"


def test_a_table_becomes_a_timeline_and_events(tmp_path: Path) -> None:
    line, events = tmp_path / "t.parquet", tmp_path / "e.parquet"
    merged = merge_table(written(tmp_path), line, events, EventRule(labels=("fall",)))
    assert (merged.known_h, merged.unknown_h, merged.events) == (10 / 3600, 4 / 3600, 1)
    assert pq.read_table(line).to_pydict() == {
        "source": ["a"] * 4 + ["b"],
        "subject": ["s1"] * 4 + ["s2"],
        "start_s": [0.0, 2.0, 4.0, 6.0, 0.0],
        "duration_s": [2.0, 2.0, 2.0, 4.0, 4.0],
        "predicted": ["rest", "rest", "fall", None, "rest"],
        "p_rest": [0.75, 0.5, 0.25, None, 1.0],
        "p_fall": [0.25, 0.5, 0.75, None, 0.0],
        "windows": [1, 2, 1, 0, 1],
    }
    assert pq.read_table(events).to_pylist() == [
        {
            **{"source": "a", "subject": "s1", "class": "fall"},
            **{"onset_s": 2.0, "offset_s": 6.0, "probability": 0.625},
        }
    ]


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    merge_table(written(tmp_path), tmp_path / "t.parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.parquet", "t.parquet"]


def test_no_windows_and_no_events_are_tables_of_the_same_form(tmp_path: Path) -> None:
    empty = pq.read_table(written(tmp_path)).slice(0, 0)
    pq.write_table(empty, tmp_path / "p.parquet")
    line, events = tmp_path / "t.parquet", tmp_path / "e.parquet"
    assert merge_table(tmp_path / "p.parquet", line, events).events == 0
    assert pq.read_table(line).num_rows == 0
    assert pq.read_table(events).column_names == [
        *("source", "subject", "class", "onset_s", "offset_s", "probability"),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prior": None}, "no column prior"),
        ({"start_s": None, "source": None}, "no column source, start_s"),
        ({"p_rest": None, "p_fall": None}, "no column p_<class>"),
        ({"start_s": ["x", "y", "z", "w"]}, "of another type"),
        ({"p_rest": ["x", "y", "z", "w"]}, "of another type"),
    ],
)
def test_another_table_is_refused(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(FormatError, match=says) as caught:
        read_predictions(path)
    assert caught.value.where == str(path)


def test_windows_without_a_recording_are_refused_by_file_and_row(tmp_path: Path) -> None:
    path = written(tmp_path, source=["b", "a", "", "a"])
    with pytest.raises(DataError, match="no recording") as caught:
        read_predictions(path)
    assert caught.value.where == f"{path}: window 2"
    with pytest.raises(DataError, match="not within 0 and 1") as caught:
        read_predictions(written(tmp_path, p_rest=[np.nan, 0.0, 0.0, 0.0]))
    assert caught.value.where == str(path)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_text("a,b\n1,2\n")
    for path in (tmp_path / "p.parquet", tmp_path / "no.parquet"):
        with pytest.raises(FormatError, match="no Parquet table"):
            read_predictions(path)


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        merge_table(written(tmp_path), tmp_path / "file" / "t.parquet")


def test_what_could_not_be_merged_is_refused_before_anything_is_predicted(tmp_path: Path) -> None:
    classes = {"classes": {"dtype": "<U4", "values": ["rest", "fall"]}}
    (tmp_path / "schema.json").write_text(json.dumps(classes))
    check_merging(tmp_path, tmp_path, EventRule(labels=("fall",)))
    with pytest.raises(ConfigError, match="'fal'"):
        check_merging(tmp_path, tmp_path, EventRule(labels=("fal",)))
    with pytest.raises(DataError, match="lie in no recording"):
        check_merging(tmp_path, tmp_path / "x.npz", EventRule())
    for text in ("{", "[]", "{}"):
        (tmp_path / "schema.json").write_text(text)
        check_merging(tmp_path, tmp_path, EventRule(labels=("fal",)))
