"""Scores of an experiment against the number of labelled training subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.experiment_wording import METRIC_NAMES, number
from maestro_ts.report.theme import colour_of, styled
from maestro_ts.report.wording import percent, plain

__all__ = ["label_section", "label_tables", "labels_figure"]

SHOWN = ("macro_f1", "log_loss")
SYMBOLS = ("circle", "diamond", "square")
DASHES = ("solid", "dash")
APART = 0.06  # between lines at one number, so that their bars do not hide each other
CAPTION = (
    "Solid with everything present, dashed with modalities missing. Points are means over {cells} "
    "and bars deviations. The subjects with labels are drawn for each seed, fewer among more, the "
    "same for everyone; pre-training saw all training subjects without labels, and nobody who is "
    "tested. A class that no labelled subject showed is impossible to a model: it costs log loss."
)

Tree = Mapping[str, Any]


def label_section(summary: Tree) -> list[Section]:
    """The figure under its heading; nothing where the number of labels does not vary."""
    families = summary.get("by_labels")
    if not families:
        return []
    said = "; ".join(
        f"{f['title']} {_score(f['points'][0])} with {_people(f['points'][0], summary)}, "
        f"{_score(f['points'][-1])} with {_people(f['points'][-1], summary)}"
        for f in families
    )
    alt = f"Line chart of macro-F1 with everything present by labelled subjects: {said}."
    caption = CAPTION.format(cells=_cells(families))
    return section(
        "labels",
        "Against the number of labelled subjects",
        block("by-labels", labels_figure(summary), caption, alt),
    )


def labels_figure(summary: Tree) -> go.Figure | None:
    """Macro-F1 or log loss, one line for each model and missing rate."""
    families = summary["by_labels"]
    counts = _counts(summary)
    if len(counts) < 2:
        return None
    figure = go.Figure()
    lines = [(i, k) for i, f in enumerate(families) for k in range(len(f["points"][0]["rates"]))]
    for metric in SHOWN:
        for n, (i, k) in enumerate(lines):
            points = families[i]["points"]
            rows = [p["rates"][k] for p in points]
            spread = [r[f"{metric}_deviation"] or 0.0 for r in rows]
            title = f"{families[i]['title']}, {_missing(rows[0])}"
            aside = APART * (n - (len(lines) - 1) / 2)
            figure.add_scatter(
                x=[counts.index(p["labelled"]) + aside for p in points],
                y=[r[f"{metric}_mean"] for r in rows],
                error_y={"type": "data", "array": spread, "thickness": 1.2, "width": 3},
                customdata=[_people(p, summary) for p in points],
                mode="lines+markers",
                name=plain(title),
                line={"color": colour_of(i), "width": 2, "dash": DASHES[k % len(DASHES)]},
                marker={"size": 7, "symbol": SYMBOLS[i % len(SYMBOLS)]},
                hovertemplate=f"{plain(title)}, %{{customdata}}: %{{y:.3f}}<extra></extra>",
                meta={"choice": METRIC_NAMES[metric]},
                visible=metric == SHOWN[0],
            )
    figure.update_xaxes(
        title_text="Training subjects with labels",
        tickvals=list(range(len(counts))),
        ticktext=["all" if c is None else str(c) for c in counts],
        range=[-0.35, len(counts) - 0.65],
    )
    figure.update_yaxes(title_text=METRIC_NAMES[SHOWN[0]], rangemode="tozero")
    styled(figure, 400 + 20 * len(lines), meta={"titled": "yaxis"})
    return figure.update_layout(legend_traceorder="normal", hovermode="closest")


def label_tables(summary: Tree) -> list[Table]:
    """The same numbers: models and missing rates down, labelled subjects across."""
    families = summary.get("by_labels") or []
    counts = _counts(summary) if families else []
    tables = []
    for metric in SHOWN if families else ():
        lines = []
        for family in families:
            there = {p["labelled"]: p["rates"] for p in family["points"]}
            for k, row in enumerate(family["points"][0]["rates"]):
                scores = [_told(there[c][k], metric) if c in there else "–" for c in counts]
                lines.append([f"{family['title']}, {_missing(row)}", *scores])
        head = ["Subjects with labels", *(_column(c, summary) for c in counts)]
        title = f"{METRIC_NAMES[metric]}, mean ± deviation over {_cells(families)}"
        tables.append(Table(title, head, lines, 1))
    return tables


def _counts(summary: Tree) -> list[int | None]:
    """Numbers of labelled subjects that took part, all last."""
    found = {p["labelled"] for f in summary["by_labels"] for p in f["points"]}
    return sorted(found - {None}) + ([None] if None in found else [])


def _column(count: int | None, summary: Tree) -> str:
    if count is not None:
        return str(count)
    least, most = min(summary["train_subjects"]), max(summary["train_subjects"])
    return f"all ({least})" if least == most else f"all ({least}–{most})"


def _people(point: Tree, summary: Tree) -> str:
    text = _column(point["labelled"], summary)
    return f"{text} subject{'' if text == '1' else 's'}"


def _cells(families: list[Tree]) -> str:
    n = max(p["cells"] for f in families for p in f["points"])
    return f"{n} cells (fold × seed)" if n > 1 else "one cell"


def _missing(row: Tree) -> str:
    return f"{percent(row['rate'])} missing" if row["rate"] else "nothing missing"


def _score(point: Tree) -> str:
    return number(point["rates"][0]["macro_f1_mean"])


def _told(row: Tree, metric: str) -> str:
    spread = row[f"{metric}_deviation"]
    text = number(row[f"{metric}_mean"])
    return text if spread is None else f"{text} ± {number(spread)}"
