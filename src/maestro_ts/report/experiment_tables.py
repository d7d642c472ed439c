"""Tables of an experiment: the same rows for the page, for Markdown and for LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_comparisons import (
    difference_tables,
    published_tables,
    ratio_tables,
    test_tables,
)
from maestro_ts.report.experiment_costs import cost_tables
from maestro_ts.report.experiment_wording import (
    METRIC_NAMES,
    MODE_TITLES,
    by_mode,
    column_label,
    number,
)
from maestro_ts.report.fault_tables import fault_tables, tests_faults
from maestro_ts.report.label_efficiency import label_tables
from maestro_ts.report.paper_marks import mark_tables
from maestro_ts.report.wording import percent

__all__ = ["experiment_tables"]

Tree = Mapping[str, Any]

CALIBRATIONS = {
    "as_trained": "as trained",
    "one_temperature": "one temperature",
    "by_what_is_there": "by what is there",
}


def experiment_tables(summary: Tree) -> list[Table]:
    """All tables of a summary; what it has no numbers for is left out."""
    return [
        *ratio_tables(summary),
        *label_tables(summary),
        *cost_tables(summary),
        *fault_tables(summary),
        *_scores(summary),
        *_spreads(summary),
        *_complete(summary),
        *_patterns(summary),
        *_areas(summary),
        *_calibration(summary),
        *difference_tables(summary),
        *test_tables(summary),
        *mark_tables(summary),
        *published_tables(summary),
        *_subjects(summary),
        *_cost(summary),
    ]


def _by_rate(
    summary: Tree, title: str, show: Callable[[Tree], str], *, folded: bool = False
) -> list[Table]:
    """One table per mode: entrants down, rates across."""
    tables = []
    for mode, rows in by_mode(summary["entrants"][0]).items():
        head = ["", *(column_label(r, 0) for r in rows)] if len(rows) > 1 else ["", "all there"]
        lines = [
            [e["title"], *(show(row) for row in by_mode(e)[mode])] for e in summary["entrants"]
        ]
        what = f"{title}, {MODE_TITLES[mode]}" if len(rows) > 1 else f"{title}, everything present"
        tables.append(Table(what, head, lines, 1, folded))
    return tables


def _metrics(summary: Tree) -> list[str]:
    first = summary["entrants"][0]["conditions"][0]
    return [m for m in METRIC_NAMES if m in first]


def _scores(summary: Tree) -> list[Table]:
    modes = {row["mode"] for row in summary["entrants"][0]["conditions"]}
    if modes == {"pattern"} or tests_faults(summary):
        return []
    tables = []
    for metric in _metrics(summary):

        def show(row: Tree, metric: str = metric) -> str:
            return number(row[metric])

        tables += _by_rate(
            summary, METRIC_NAMES[metric], show, folded=metric in ("auprc", "log_loss")
        )
    return tables


def _spreads(summary: Tree) -> list[Table]:
    if len(summary["entrants"][0]["cells"]) < 2 or summary.get("by_labels"):  # told there
        return []

    def show(row: Tree) -> str:
        return f"{number(row['macro_f1_mean'])} ± {number(row['macro_f1_deviation'])}"

    n = len(summary["entrants"][0]["cells"])
    title = f"Macro-F1, mean ± deviation over {n} cells (fold × seed)"
    return _by_rate(summary, title, show, folded=True)


def _complete(summary: Tree) -> list[Table]:
    """Windows in which nothing was absent to begin with, where others have natural absence."""
    if summary["n_complete"] in (0, summary["n"]):
        return []

    def show(row: Tree) -> str:
        return number((row["complete"] or {}).get("macro_f1"))

    title = f"Macro-F1, the {summary['n_complete']:,} complete of {summary['n']:,} windows"
    return _by_rate(summary, title, show)


def _patterns(summary: Tree) -> list[Table]:
    entrants = summary["entrants"]
    m = len(summary["dataset"]["modalities"])
    rows = [i for i, r in enumerate(entrants[0]["conditions"]) if r["mode"] == "pattern"]
    if not rows:
        return []
    lines = [
        [
            column_label(entrants[0]["conditions"][i], m),
            *(number(e["conditions"][i]["macro_f1"]) for e in entrants),
        ]
        for i in rows
    ]
    head = ["Sensors", *(e["title"] for e in entrants)]
    which = "every combination" if len(rows) >= 2**m - 2 else "the combinations tested"
    worst = [
        [e["title"], " + ".join(e["worst"]["pattern"]), number(e["worst"]["macro_f1"])]
        for e in entrants
    ]
    return [
        Table("Worst combination of sensors", ["", "Only", "Macro-F1"], worst, 2),
        Table(f"Macro-F1 of {which}", head, lines, 1, folded=len(lines) > 12),
    ]


def _areas(summary: Tree) -> list[Table]:
    tables = []
    for mode, first in summary["entrants"][0]["areas"].items():
        metrics = [m for m in METRIC_NAMES if m in first]
        lines = []
        for e in summary["entrants"]:
            area = e["areas"][mode]
            cells = []
            for metric in metrics:
                edges = area[f"{metric}_interval"]
                span = f" [{number(edges[0])}, {number(edges[1])}]" if edges else ""
                cells.append(number(area[metric]) + span)
            lines.append([e["title"], *cells])
        span = f"{percent(first['from'])} to {percent(first['to'])}"
        title = f"Area under the curve, {span}, {MODE_TITLES[mode]}"
        tables.append(Table(title, ["", *(METRIC_NAMES[m] for m in metrics)], lines))
    return tables


def _calibration(summary: Tree) -> list[Table]:
    """Errors beside the band that a calibrated model stays in; its three ways are lines."""
    if "calibration" not in summary["entrants"][0]["conditions"][0]:
        return []
    tables = []
    for mode, rows in by_mode(summary["entrants"][0]).items():
        lines = [
            [
                f"{e['title']}, {title}",
                *(_error(row["calibration"][way]) for row in by_mode(e)[mode]),
            ]
            for e in summary["entrants"]
            for way, title in CALIBRATIONS.items()
        ]
        head = ["", *(column_label(r, 0) for r in rows)]
        what = "Calibration error (in brackets what 95 % of calibrated models stay below)"
        tables.append(Table(f"{what}, {MODE_TITLES[mode]}", head, lines, 1, folded=True))
    return tables


def _error(found: Tree) -> str:
    outside = found["error"] > found["band"]
    return f"{number(found['error'])} ({number(found['band'])}){' *' if outside else ''}"


def _subjects(summary: Tree) -> list[Table]:
    entrants = summary["entrants"]
    people = entrants[0]["subjects"]
    if not people:
        return []
    lines = [
        [row["subject"], f"{row['n']}", *(number(e["subjects"][i]["macro_f1"]) for e in entrants)]
        for i, row in enumerate(people)
    ]
    head = ["Subject", "Windows", *(e["title"] for e in entrants)]
    return [Table("Macro-F1 of every subject, everything present", head, lines, 1, folded=True)]


def _cost(summary: Tree) -> list[Table]:
    lines = [
        [
            e["title"],
            f"{e['parameters']:,}",
            f"{e['fit_seconds']:.0f} s",
            f"{e['test_seconds']:.1f} s",
            ", ".join(c["hash"] for c in e["cells"]),
        ]
        for e in summary["entrants"]
    ]
    head = ["", "Parameters", "Fit of a cell", "All its tests", "Cells"]
    return [Table("What a cell takes, on one thread", head, lines, 1, folded=True)]
