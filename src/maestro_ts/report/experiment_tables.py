"""Tables of an experiment: the same rows for the page, for Markdown and for LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maestro_ts.report.blocks import Table
from maestro_ts.report.wording import condition_label, percent

__all__ = ["METRIC_NAMES", "by_mode", "column_label", "experiment_tables", "gap", "number"]

METRIC_NAMES = {
    "macro_f1": "Macro-F1",
    "accuracy": "Accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "log_loss": "Log loss",
}
MODE_TITLES = {
    "modality": "whole sensors missing",
    "segment": "one stretch of every signal missing",
    "pattern": "only some sensors there",
}

Tree = Mapping[str, Any]


def experiment_tables(summary: Tree) -> list[Table]:
    """All tables of a summary; what it has no numbers for is left out."""
    return [
        *_ratios(summary),
        *_scores(summary),
        *_spreads(summary),
        *_complete(summary),
        *_patterns(summary),
        *_areas(summary),
        *_differences(summary),
        *_tests(summary),
        *_published(summary),
        *_subjects(summary),
        *_cost(summary),
    ]


def number(value: float | None, digits: int = 3) -> str:
    """``.925``; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def gap(values: Sequence[float | None]) -> str:
    """A difference with its interval: ``+.016 [−.019, +.083]``."""
    point, low, high = (None if v is None else _signed(v) for v in values)
    return f"{point} [{low}, {high}]" if low is not None else f"{point}"


def _signed(value: float) -> str:
    text = number(abs(value))
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def by_mode(entrant: Tree) -> dict[str, list[Tree]]:
    """Rows of each mode by rising rate; complete input begins each."""
    rows = entrant["conditions"]
    found: dict[str, list[Tree]] = {}
    for mode in ("modality", "segment"):
        same = [r for r in rows if r["mode"] == mode and r["rate"] > 0]
        if same:
            found[mode] = [rows[0], *same]
    return found or {"modality": [rows[0]]}


def column_label(row: Tree, modalities: int) -> str:
    """``40 %`` for a rate, the sensors that are left for a pattern."""
    if row["mode"] == "pattern":
        return condition_label(row, modalities)
    return percent(row["rate"]) if row["rate"] else "0"


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
    if all(row["mode"] == "pattern" for row in summary["entrants"][0]["conditions"]):
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
    if len(summary["entrants"][0]["cells"]) < 2:
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
    worst = [
        [e["title"], " + ".join(e["worst"]["pattern"]), number(e["worst"]["macro_f1"])]
        for e in entrants
    ]
    return [
        Table("Worst combination of sensors", ["", "Only", "Macro-F1"], worst, 2),
        Table("Macro-F1 of every combination", head, lines, 1, folded=len(lines) > 12),
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


def _differences(summary: Tree) -> list[Table]:
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    if not summary["differences"]:
        return []
    m = len(summary["dataset"]["modalities"])
    first = summary["differences"][0]
    plain = [i for i, c in enumerate(first["conditions"]) if c["mode"] != "pattern" or i == 0]
    tables = []
    for metric in ("macro_f1", "auroc"):
        if metric not in first["conditions"][0]:
            continue
        head = ["", *(titles[d["b"]] for d in summary["differences"])]
        lines = [
            [
                condition_label(first["conditions"][i], m),
                *(gap(d["conditions"][i][metric]) for d in summary["differences"]),
            ]
            for i in plain
        ]
        lines += [
            [
                f"area, {MODE_TITLES[mode]}",
                *(gap(d["areas"][mode][metric]) for d in summary["differences"]),
            ]
            for mode in first["areas"]
        ]
        title = f"{METRIC_NAMES[metric]} of {titles[first['a']]} minus the other's, 95 % by subject"
        tables.append(Table(title, head, lines))
    return tables


def _tests(summary: Tree) -> list[Table]:
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    if not summary["tests"]:
        return []
    ranks = summary["ranks"]
    lines = [
        [titles[t["b"]], f"{ranks['mean'][t['b']]:.2f}", f"{t['p']:.3f}", f"{t['p_holm']:.3f}"]
        for t in summary["tests"]
    ]
    a = summary["tests"][0]["a"]
    lines.insert(0, [titles[a], f"{ranks['mean'][a]:.2f}", "", ""])
    title = (
        f"Mean rank over {ranks['n']} subjects (critical difference "
        f"{ranks['critical_difference']:.2f}) and signed-rank test against {titles[a]}"
    )
    return [Table(title, ["", "Mean rank", "P", "P after Holm"], lines)]


def _published(summary: Tree) -> list[Table]:
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


def _ratios(summary: Tree) -> list[Table]:
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
