"""Tables that set entrants against each other, and ours against the paper's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import METRIC_NAMES, MODE_TITLES, by_mode, gap, number
from maestro_ts.report.wording import condition_label, percent

__all__ = ["difference_tables", "published_tables", "ratio_tables", "test_tables"]

Tree = Mapping[str, Any]


def ratio_tables(summary: Tree) -> list[Table]:
    """The paper's headline figures, ours beside its."""
    lines = []
    for row in summary.get("ratios") or []:
        relative = row["kind"] == "relative"
        value = 100 * row["value"]
        lines.append(
            [
                f"{row['kind']} gain in {METRIC_NAMES[row['metric']].lower()} over {row['what']}",
                percent(row["rate"]) if row["rate"] else "0",
                row["rival"],
                f"{number(row['ours'])} / {number(row['base'])}",
                f"{value:+.1f} {'%' if relative else 'points'}".replace("-", "−"),
                row["published"],
            ]
        )
    if not lines:
        return []
    head = ["What", "Missing", "Rival", "Ours / its", "Gain", "Paper, mean of its sets"]
    return [Table("The paper's headline figures", head, lines, 1)]


def difference_tables(summary: Tree) -> list[Table]:
    """Differences to each rival under every condition, and of the areas."""
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    if not summary["differences"]:
        return []
    m = len(summary["dataset"]["modalities"])
    return [
        table
        for a in dict.fromkeys(d["a"] for d in summary["differences"])
        for table in _differences_of(titles, [d for d in summary["differences"] if d["a"] == a], m)
    ]


def _differences_of(titles: Mapping[str, str], gaps: list[Tree], m: int) -> list[Table]:
    """Those of one entrant."""
    first = gaps[0]
    # Beside curves the combinations would hide them; without any they are what is compared.
    plain = [
        i
        for i, c in enumerate(first["conditions"])
        if c["mode"] != "pattern" or i == 0 or not first["areas"]
    ]
    tables = []
    for metric in ("macro_f1", "auroc"):
        if metric not in first["conditions"][0]:
            continue
        head = ["", *(titles[d["b"]] for d in gaps)]
        lines = [
            [
                condition_label(first["conditions"][i], m),
                *(gap(d["conditions"][i][metric]) for d in gaps),
            ]
            for i in plain
        ]
        lines += [
            [
                f"area, {MODE_TITLES[mode]}",
                *(gap(d["areas"][mode][metric]) for d in gaps),
            ]
            for mode in first["areas"]
        ]
        title = f"{METRIC_NAMES[metric]} of {titles[first['a']]} minus the other's, 95 % by subject"
        tables.append(Table(title, head, lines))
    return tables


def test_tables(summary: Tree) -> list[Table]:
    """Mean ranks and signed-rank tests over the subjects, and over the data sets."""
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    tables = []
    for ranks, tests in (
        (summary["ranks"], summary["tests"]),
        (summary["across"], (summary["across"] or {}).get("tests")),
    ):
        if ranks is None or not tests:
            continue
        a = tests[0]["a"]
        lines = [[titles[a], f"{ranks['mean'][a]:.2f}", "", ""]]
        lines += [
            [titles[t["b"]], f"{ranks['mean'][t['b']]:.2f}", number(t["p"]), number(t["p_holm"])]
            for t in tests
        ]
        title = (
            f"Mean rank over {ranks['n']} {ranks['blocks']} (critical difference "
            f"{ranks['critical_difference']:.2f}) and signed-rank test against {titles[a]}"
        )
        tables.append(Table(title, ["", "Mean rank", "P", "P after Holm"], lines))
    return tables


def published_tables(summary: Tree) -> list[Table]:
    """Ours beside the paper's values, where the data set is the paper's."""
    if summary.get("marks"):  # of what this experiment asks; they stand beside its own scores
        return []
    rows = summary["published"]["missing"]
    if len(by_mode(summary["entrants"][0])["modality"]) == 1:
        rows = summary["published"]["full"]
    if not rows:
        return []
    rates = list(dict.fromkeys(r["rate"] for r in rows))
    tables = []
    for metric in ("macro_f1", "accuracy"):
        lines = [
            [f"{model} (paper)", *(number(r[metric], 2) for r in rows if r["model"] == model)]
            for model in dict.fromkeys(r["model"] for r in rows)
        ]
        for e in summary["entrants"]:
            own = {row["rate"]: row for row in by_mode(e)["modality"]}
            lines.append(
                [e["title"], *(number(own[r][metric]) if r in own else "–" for r in rates)]
            )
        title = f"{METRIC_NAMES[metric]} beside the paper's on {summary['published']['dataset']}"
        tables.append(Table(title, ["", *(percent(r) if r else "0" for r in rates)], lines))
    return tables
