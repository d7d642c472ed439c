"""Scores under each fault of the sensors, where an experiment tests any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import METRIC_NAMES, MODE_TITLES, number
from maestro_ts.report.wording import condition_label

__all__ = ["fault_tables", "tests_faults"]

Tree = Mapping[str, Any]


def tests_faults(summary: Tree) -> bool:
    """Whether some conditions are neither rates with a curve nor combinations of sensors."""
    return any(row["mode"] not in MODE_TITLES for row in summary["entrants"][0]["conditions"])


def fault_tables(summary: Tree) -> list[Table]:
    """Faults down, entrants across."""
    if not tests_faults(summary):
        return []
    entrants = summary["entrants"]
    rows, m = entrants[0]["conditions"], len(summary["dataset"]["modalities"])
    head = ["", *(e["title"] for e in entrants)]
    return [
        Table(
            f"{METRIC_NAMES[metric]} under each fault",
            head,
            [
                [condition_label(row, m), *(number(e["conditions"][i][metric]) for e in entrants)]
                for i, row in enumerate(rows)
            ],
            1,
            folded=metric == "log_loss",
        )
        for metric in ("macro_f1", "accuracy", "log_loss")
    ]
