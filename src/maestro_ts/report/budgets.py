"""Figure: the budget each modality receives, overall and for every group of missing sensors."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.matrix import patterns_of
from maestro_ts.report.theme import HEAT_SCALE, INK, row_height, styled
from maestro_ts.report.wording import LABEL_WIDTH, label_height, names, plain, wrapped

__all__ = ["BUDGETS_CAPTION", "budgets_alt", "budgets_figure", "budgets_width"]

BUDGETS_CAPTION = (
    "The mean budget u by what was missing: the more a modality gets, the more queries it attends "
    "with. An empty cell is a modality that was absent."
)


def budgets_figure(results: Results) -> go.Figure | None:
    """Groups × modalities."""
    rows = [row for row in results.explain if row.get("budgets")]
    if not rows:
        return None
    sensors = names(results)
    labels = [str(row["label"]) for row in rows]
    patterns = patterns_of(results, labels)
    values = [[row["budgets"].get(s) for s in sensors] for row in rows]
    figure = go.Figure()
    figure.add_heatmap(
        x=list(range(len(sensors))),
        y=list(range(len(rows))),
        z=values,
        zmin=0,
        # An upper end as well: plotly ignores one without the other.
        zmax=max((v for row in values for v in row if v is not None), default=1.0),
        colorscale=HEAT_SCALE,
        xgap=2,
        ygap=2,
        text=[["" if v is None else f"{v:.2f}" for v in row] for row in values],
        texttemplate="%{text}",
        textfont={"color": INK},
        customdata=_hover(rows, sensors),
        hovertemplate="%{customdata[0]} (%{customdata[1]} windows)<br>"
        "%{customdata[2]}: u = %{z:.3f}<extra></extra>",
        hoverongaps=False,
        showscale=False,
    )
    figure.update_xaxes(
        tickvals=list(range(len(sensors))),
        ticktext=[wrapped(s) for s in sensors],
        side="top",
        showgrid=False,
        autotickangles=[0, -90],
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=_row_names(labels, patterns, len(sensors)),
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    each = 28 if patterns else label_height(labels)
    return styled(figure, row_height(len(rows), each, 110))


def budgets_width(results: Results) -> int:
    """Pixels below which the cells would be too narrow for their numbers."""
    return 190 + 36 * len(results.modalities)


def budgets_alt(results: Results) -> str:
    """What it shows."""
    rows = [row for row in results.explain if row.get("budgets")]
    if not rows:
        return ""
    first = rows[0]
    said = ", ".join(f"{s} {v:.2f}" for s, v in first["budgets"].items() if v is not None)
    return f"Heatmap of budgets; {first['label']}: {said}."


def _row_names(labels: list[str], patterns: list[list[str]] | None, m: int) -> list[str]:
    """Where rows are patterns the empty cells say which one; a count is enough beside them."""
    if patterns is None:
        return [wrapped(label, LABEL_WIDTH) for label in labels]
    return [f"{len(kept)} of {m} there" for kept in patterns]


def _hover(rows: list[dict[str, Any]], sensors: list[str]) -> list[list[list[str]]]:
    return [[[plain(row["label"]), f"{row['n']:,}", plain(s)] for s in sensors] for row in rows]
