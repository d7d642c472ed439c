"""What the page says of the values of sensors."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro_ts.errors import RunError
from maestro_ts.evaluation.results import Results
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.evaluation.sensor_valuation import value_sensors
from maestro_ts.report.page import embedded_json, render
from maestro_ts.report.sensor_tables import front_rows, pair_rows, signed, worth_rows
from maestro_ts.report.sensors import sensor_sections
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

N, CLASSES = 80, ["sitting", "walking fast", "climbing stairs", "falling"]
HOSTILE = "</script><b>%{x}"


def file_of(*devices: str, by: tuple[str, ...] = ("device",), **options: Any) -> SensorFile:
    """Values to a model that guesses better with every sensor, each named by its device."""
    sensors = [Modality(f"{d} acc", rate_hz=2.0, device=d) for d in devices]
    windows = Windows.from_arrays(
        {m.name: np.zeros((N, 4, 1)) for m in sensors}, Schema(sensors), duration_s=2.0
    )
    truth = np.arange(N) % 4
    votes = np.random.default_rng(0).random((len(devices), N)) < 0.5

    def ask(keep: np.ndarray) -> np.ndarray:
        told = np.full((len(keep), N, 4), 0.1)
        told[:, :, 0] += 0.5
        told[:, np.arange(N), truth] += keep.astype(float) @ votes
        return told / told.sum(axis=2, keepdims=True)

    subjects = np.array([f"s{i % 8}" for i in range(N)])
    options = {"subjects": subjects, "permutations": 4} | options
    values = [
        value_sensors(
            ask, windows, truth, CLASSES, by=kind, rng=np.random.default_rng(0), **options
        )
        for kind in by
    ]
    return SensorFile({"seed": 0}, [v.to_dict() for v in values])


def test_the_figures_hold_the_numbers() -> None:
    found = file_of("ankle", "chest", "wrist")
    (part,) = sensor_sections(found)
    (value,) = found.values
    assert part.key == "device-value"
    worth, classes, front = (b.figure for b in part.blocks)
    order = np.argsort(value["shapley"])[::-1]
    bars, marks = worth.data
    assert list(bars.x) == [value["shapley"][i] for i in order]
    assert list(marks.x) == [value["loss"][i] for i in order]
    low, high = value["loss_interval"]
    assert list(marks.error_x.array) == [high[i] - value["loss"][i] for i in order]
    assert list(marks.error_x.arrayminus) == [value["loss"][i] - low[i] for i in order]
    for trace, field in zip(classes.data, ("class_loss", "class_shapley"), strict=True):
        assert np.allclose(trace.z, np.array(value[field])[order].T)
    steps, ring = front.data
    assert value["front"][0]["players"] == []
    assert list(steps.y) == [one["score"] for one in value["front"][1:]]
    assert list(ring.x) == [value["smallest"]["cost"]]


def test_the_tables_hold_them_too() -> None:
    (value,) = file_of("ankle", "chest", "wrist").values
    head, rows = worth_rows(value)
    best = int(np.argmax(value["shapley"]))
    assert rows[0][0] == value["players"][best]
    assert rows[0][head.index("Shapley")] == signed(value["shapley"][best])
    assert len(pair_rows(value)[1]) == 3
    head, rows = front_rows(value)
    assert head[1] == "Devices"
    assert rows[0][0] == "nothing"
    assert rows[-1][2] == f"{value['front'][-1]['score']:.3f}"


def test_costs_are_told_with_their_unit() -> None:
    (value,) = file_of("ankle", "wrist", costs={"ankle": 12.0, "wrist": 3.5}, unit="mW").values
    head, rows = worth_rows(value)
    assert head[-1] == front_rows(value)[0][1] == "Cost, mW"
    assert {row[-1] for row in rows} == {"12", "3.5"}


def test_without_subjects_there_are_no_whiskers() -> None:
    found = file_of("ankle", "wrist", subjects=None)
    worth = sensor_sections(found)[0].blocks[0].figure
    assert [trace.error_x.visible for trace in worth.data] == [False, False]
    assert all(row[3] == row[5] == "" for row in worth_rows(found.values[0])[1])


def test_sampled_values_tell_their_error_and_no_pairs() -> None:
    (value,) = file_of(*(f"d{i:02d}" for i in range(13))).values
    head, rows = worth_rows(value)
    assert head[-1] == "Sampling error"
    assert float(rows[0][-1]) == pytest.approx(max(value["shapley_error"]), abs=1)
    assert pair_rows(value)[1] == []
    assert len(sensor_sections(SensorFile({}, [value]))[0].tables) == 2


def test_the_page_has_a_section_for_each_kind(least: Results) -> None:
    found = file_of("ankle", "wrist", by=("device", "modality"))
    page = render(least, found)
    assert 'id="device-value"' in page
    assert 'id="modality-value"' in page
    assert "device-value" not in render(least)


def test_the_numbers_are_in_the_page_and_are_results_still(least: Results, tmp_path: Path) -> None:
    found = file_of("ankle", "wrist")
    page = render(least, found)
    text = page.split('id="results">')[1].split("</script>")[0]
    tree = json.loads(text)
    assert SensorFile(**tree["sensors"]) == found
    saved = tmp_path / "results.json"
    saved.write_text(text)
    assert asdict(Results.load(saved)) == asdict(least)


def test_hostile_names_stay_text(least: Results) -> None:
    page = render(least, file_of(HOSTILE, "wrist"))
    assert HOSTILE not in page
    figures = json.loads(page.split('id="figures">')[1].split("</script>")[0])
    assert "<b>" not in json.dumps(figures).replace("<br>", "")


def test_a_file_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "sensors.json"
    assert SensorFile.load(file) is None
    found = file_of("ankle", "wrist")
    found.save(file)
    assert SensorFile.load(file) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not values of sensors"),
        ('{"format": 1}', "not values of sensors"),
        (json.dumps(asdict(replace(SensorFile({}, []), format=2))), "format 2.*reads up to 1"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sensors.json"
    file.write_text(text)
    with pytest.raises(RunError, match=message):
        SensorFile.load(file)


def test_embedding_leaves_no_end_of_a_script() -> None:
    assert "<" not in embedded_json(asdict(file_of(HOSTILE)))
