"""What a calibration is worth, in words and rows, for page and console alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_ts.evaluation.missing_classes import EVERYTHING
from maestro_ts.report.wording import condition_label, percent, scored

__all__ = [
    "calibration_facts",
    "calibration_label",
    "class_rows",
    "coverage_rows",
    "error_rows",
    "told_level",
]

Rows = tuple[list[str], list[list[str]]]

SETS = ("Asked", "Covered", "95 % by subject", "Classes", "Answered", "Right")


def calibration_label(row: Mapping[str, Any]) -> str:
    """What was missing in a row."""
    return condition_label({"pattern": (), **row}, 0)


def told_level(found: Mapping[str, Any]) -> float | None:
    """The coverage that figures are about: .9, or the largest below that is told."""
    levels = [float(x) for x in found["levels"] if x <= 0.9]
    return max(levels, default=None)


def calibration_facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The temperature and what it was fitted on."""
    temperatures = found["temperature"]
    several = ", one each run" if len(temperatures) > 1 else ""
    return [
        ("Temperature", _range([t["whole"] for t in temperatures]) + several),
        ("With half the sensors absent", f"× {_range([2 ** t['absent'] for t in temperatures])}"),
        ("With half the samples lost", f"× {_range([2 ** t['lost'] for t in temperatures])}"),
        ("Calibrated on", f"{found['subjects']} subjects: {found['source']}"),
    ]


def _range(values: Sequence[float]) -> str:
    low, high = (f"{value:.2f}" for value in (min(values), max(values)))
    return low if low == high else f"{low}–{high}"


def error_rows(found: Mapping[str, Any]) -> Rows:
    """Calibration error with its band under every condition, without the temperature and with."""
    head = ["Missing", "Error as trained", "Band", "Error calibrated", "Band", "Inside"]
    rows = []
    for row in found["rows"]:
        before, after = row["before"], row["after"]
        rows.append(
            [
                calibration_label(row),
                scored(before["error"]),
                f"≤ {scored(before['band'])}",
                scored(after["error"]),
                f"≤ {scored(after['band'])}",
                "yes" if after["error"] <= after["band"] else "no",
            ]
        )
    return head, rows


def coverage_rows(found: Mapping[str, Any]) -> Rows:
    """Coverage, size and answers of sets under every condition."""
    rows = [[calibration_label(row), *_told(s)] for row in found["rows"] for s in row["sets"]]
    return ["Missing", *SETS], rows


def class_rows(found: Mapping[str, Any]) -> Rows:
    """The same for every class of what is missing, at the coverage that figures are about."""
    rows = [
        [
            "anything else" if row["missing"] == EVERYTHING else row["missing"],
            str(row["n"]),
            *_told(s),
        ]
        for row in found.get("classes", [])  # an older run's results have none
        for s in row["sets"]
        if s["coverage"] == told_level(found)
    ]
    return ["Missing", "Windows", *SETS], rows


def _told(sets: Mapping[str, Any]) -> list[str]:
    return [
        percent(sets["coverage"]),
        percent(sets["covered"]),
        _span(sets["covered_interval"]),
        f"{sets['size']:.2f}",
        percent(sets["answered"]),
        "–" if sets["right"] is None else percent(sets["right"]),
    ]


def _span(bounds: Sequence[float] | None) -> str:
    """An interval of a share, in the unit of the share beside it."""
    if bounds is None:
        return "–"
    low, high = (percent(bound) for bound in bounds)
    return f"{low.removesuffix(' %')}–{high}"
