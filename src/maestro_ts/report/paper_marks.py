"""The paper's values for what an experiment asks, beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import METRIC_NAMES, number

__all__ = ["mark_tables"]


def mark_tables(summary: Mapping[str, Any]) -> list[Table]:
    """One row per value; a dash where nobody took part who could be beside it."""
    marks = summary.get("marks")
    if not marks:
        return []
    names = METRIC_NAMES | {"mmac": "MMAC of a window"}
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    lines = [
        [
            mark["what"],
            names[mark["metric"]],
            number(mark["paper"], 2),
            number(mark["ours"], 2 if mark["metric"] == "mmac" else 3),
            titles.get(mark["entrant"], mark["entrant"]),
        ]
        for mark in marks
    ]
    name = summary["published"]["dataset"]
    head = ["In the paper", "", "Paper", "Ours", "Ours is"]
    return [Table(f"Beside the paper's values on {name}", head, lines, 2)]
