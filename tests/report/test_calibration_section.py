"""What the page says of how sure the model may be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from maestro_ts.evaluation.calibration_error import reliability
from maestro_ts.evaluation.results import Results
from maestro_ts.report.calibration import CLASSES, ERRORS, calibration_section
from maestro_ts.report.calibration_tables import (
    calibration_facts,
    class_rows,
    coverage_rows,
    error_rows,
    told_level,
)
from maestro_ts.report.page import render
from maestro_ts.report.reliability import shown_rows


def row(mode: str, rate: float, levels: tuple[float, ...], spans: bool = True) -> dict[str, Any]:
    """What a model that claims .1 too much said before its temperature was known."""
    rng = np.random.default_rng(int(100 * rate))
    claimed = rng.uniform(0.5, 1.0, 400)
    told = {
        "before": reliability(claimed, rng.random(400) < claimed - 0.1, rng, 50).to_dict(),
        "after": reliability(claimed, rng.random(400) < claimed, rng, 50).to_dict(),
    }
    sets = [
        {
            "coverage": level,
            "covered": level + 0.01,
            "covered_interval": [level - 0.03, level + 0.05] if spans else None,
            "size": 1.2 + rate,
            "answered": 0.9 - rate,
            "right": None if rate > 0.7 else 0.95,
        }
        for level in levels
    ]
    return {"mode": mode, "rate": rate, "n": 400, "sets": sets} | told


def found(levels: tuple[float, ...] = (0.8, 0.9, 0.95), **changes: Any) -> dict[str, Any]:
    rows = [row("modality", rate, levels) for rate in (0.0, 0.2, 0.4, 0.8)]
    rows += [row("segment", rate, levels) for rate in (0.4, 0.8)]
    return {
        "temperature": [{"whole": 1.3, "absent": -0.5, "lost": 1.0}],
        "subjects": 20,
        "source": "3 folds of the training subjects",
        "levels": list(levels),
        "rows": rows,
    } | changes


@pytest.fixture
def calibrated(few: Results) -> Results:
    return replace(few, calibration=found())


def test_the_figures_hold_the_numbers(calibrated: Results) -> None:
    (part,) = calibration_section(calibrated)
    reliable, covered = part.blocks
    rows = calibrated.calibration["rows"]
    lines = [t for t in reliable.figure.data if t.mode == "lines+markers"]
    for i, (shown, key) in enumerate(
        (r, key) for key in ("after", "before") for r in (rows[0], rows[2], rows[3])
    ):
        assert list(lines[i].x) == shown[key]["confidence"]
        assert list(lines[i].y) == shown[key]["accuracy"]
    assert reliable.choices == ["Calibrated", "As trained"]
    asked, *lines = covered.figure.data
    assert list(asked.y) == [0.9, 0.9]
    assert asked.meta == {"choice": "Covered"}  # it would be misread beside the answers
    assert list(lines[0].x) == [0.0, 0.2, 0.4, 0.8]
    assert list(lines[1].x) == [0.0, 0.4, 0.8]  # complete input belongs to every line
    assert list(lines[0].y) == [0.91] * 4
    assert list(lines[0].error_y.array) == pytest.approx([0.04] * 4)
    assert list(lines[2].y) == pytest.approx([0.9, 0.7, 0.5, 0.1])
    assert covered.choices == ["Covered", "Answered"]
    assert "91 % covered" in covered.alt


def test_the_tables_hold_every_row(calibrated: Results) -> None:
    tree = calibrated.calibration
    head, rows = error_rows(tree)
    assert len(rows) == 6
    assert {len(r) for r in rows} == {len(head)}
    assert rows[0][0] == "everything present"
    assert rows[4][0] == "40 %: a stretch of time missing"
    first = tree["rows"][0]
    assert rows[0][1] == f"{first['before']['error']:.3f}"
    assert {r[-1] for r in rows} <= {"yes", "no"}
    assert [r[-1] == "yes" for r in rows] == [
        r["after"]["error"] <= r["after"]["band"] for r in tree["rows"]
    ]
    head, rows = coverage_rows(tree)
    assert len(rows) == 18
    assert {len(r) for r in rows} == {len(head)}
    assert rows[1] == [
        *("everything present", "90 %", "91 %", "87–95 %", "1.20", "90 %", "95 %"),
    ]
    assert rows[-1][-1] == "–"


def test_every_class_of_what_is_missing_has_a_row_at_the_coverage_of_the_figures(
    few: Results,
) -> None:
    sets = row("modality", 0.4, (0.8, 0.9))["sets"]
    classes = [{"missing": m, "n": 7, "sets": sets} for m in ("without eda", "everything")]
    tree = found((0.8, 0.9), classes=classes)
    _, rows = class_rows(tree)
    assert rows == [
        [m, "7", "90 %", "91 %", "87–95 %", "1.60", "50 %", "95 %"]
        for m in ("without eda", "anything else")
    ]
    (part,) = calibration_section(replace(few, calibration=tree))
    assert part.tables[-1].title == CLASSES
    (older,) = calibration_section(replace(few, calibration=found()))
    assert CLASSES not in [t.title for t in older.tables]


def test_without_a_calibration_there_is_no_section(few: Results) -> None:
    assert calibration_section(few) == []
    assert "How sure it may be" not in render(few)


def test_with_few_subjects_the_largest_coverage_that_is_told_is_drawn(few: Results) -> None:
    assert told_level(found()) == 0.9
    (part,) = calibration_section(replace(few, calibration=found((0.8,))))
    assert "80 %" in part.blocks[1].caption
    (part,) = calibration_section(replace(few, calibration=found(())))
    assert [b.key for b in part.blocks] == ["reliability"]
    assert [t.title for t in part.tables] == [ERRORS]


def test_one_subject_has_no_bars(few: Results) -> None:
    rows = [row("modality", 0.0, (0.9,), spans=False)]
    (part,) = calibration_section(replace(few, calibration=found((0.9,), rows=rows)))
    assert part.blocks[1].figure.data[1].error_y.array is None
    assert coverage_rows({"rows": rows})[1][0][3] == "–"


def test_rows_that_are_drawn_differ() -> None:
    assert [r["rate"] for r in shown_rows(found())] == [0.0, 0.4, 0.8]
    two = found(rows=[row("modality", r, ()) for r in (0.0, 0.5)])
    assert [r["rate"] for r in shown_rows(two)] == [0.0, 0.5]
    other = found(rows=[row("modality", 0.0, ()), row("segment", 0.4, ())])
    assert [r["mode"] for r in shown_rows(other)] == ["modality", "segment"]


def test_temperatures_of_several_runs_are_a_range() -> None:
    assert calibration_facts(found())[:3] == [
        ("Temperature", "1.30"),
        ("With half the sensors absent", "× 0.71"),
        ("With half the samples lost", "× 2.00"),
    ]
    each = [{"whole": w, "absent": 0.0, "lost": w} for w in (1.0, 2.0)]
    assert calibration_facts(found(temperature=each))[:3] == [
        ("Temperature", "1.00–2.00, one each run"),
        ("With half the sensors absent", "× 1.00"),
        ("With half the samples lost", "× 2.00–4.00"),
    ]


def test_the_page_shows_it(calibrated: Results) -> None:
    page = render(calibrated)
    assert "How sure it may be" in page
    embedded = page.split('id="results">')[1].split("</script>")[0]
    assert json.loads(embedded)["calibration"] == calibrated.calibration
