"""What a pass costs each entrant, where an experiment measured it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import column_label, number

__all__ = ["cost_tables"]

Tree = Mapping[str, Any]


def cost_tables(summary: Tree) -> list[Table]:
    """Score beside cost with everything present, then one table per cost at every rate."""
    known = [e for e in summary["entrants"] if "costs" in e]
    if not known:
        return []
    n, conditions = known[0]["costs"]["windows"], known[0]["conditions"]
    shown: list[tuple[str, str, Callable[[Tree], str]]] = [
        ("MMAC", "Million multiply-accumulates of a window", lambda row: _in(row["macs"], 1e6, 2)),
        ("network", "ms of a window, network", lambda row: _in(row["network_s"], 1e-3, 3)),
        ("front end", "ms of a window, front end", lambda row: _in(row["front_end_s"], 1e-3, 3)),
        ("MB", f"MB added by a pass over {n} windows", lambda row: _in(row["added_bytes"], 1e6, 1)),
    ]
    first = [
        [
            e["title"],
            *(number(e["conditions"][0][metric]) for metric in ("macro_f1", "accuracy")),
            f"{e['parameters']:,}" if e["parameters"] else "–",
            *(show(e["costs"]["conditions"][0]) for _, _, show in shown),
        ]
        for e in known
    ]
    head = ["", "Macro-F1", "Accuracy", "Parameters", "MMAC", "Network, ms", "Front end, ms", "MB"]
    title = f"Score and cost, everything present; batches of {n}, one thread"
    tables = [Table(title, head, first)]
    if len(conditions) > 1:
        columns = ["", *(column_label(row, 0) for row in conditions)]
        tables += [
            Table(
                f"{what}, whole sensors missing",
                columns,
                [[e["title"], *map(show, e["costs"]["conditions"])] for e in known],
                folded=key != "MMAC",
            )
            for key, what, show in shown
        ]
    return tables


def _in(value: float | None, unit: float, digits: int) -> str:
    return "–" if value is None else f"{value / unit:,.{digits}f}"
