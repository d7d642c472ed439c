"""Figure: which experts of each fusion layer work, for every group of missing sensors."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maestro_ts.evaluation.results import Results
from maestro_ts.report.matrix import add_matrix, matrix_share, patterns_of
from maestro_ts.report.theme import PALETTE, colour_of, row_height, styled
from maestro_ts.report.wording import LABEL_WIDTH, label_height, names, plain, wrapped

__all__ = ["EXPERTS_CAPTION", "experts_alt", "experts_figure", "experts_width"]

EXPERTS_CAPTION = (
    "The share of tokens that each expert of a fusion layer received, by what was missing. "
    "Bars that differ between rows mean that experts specialise in patterns of missing sensors."
)
HATCHES = ("", "/", "x", ".")
NAMES, TITLES, FEET = 80, 28, 80  # pixels for sensor names, for titles, for ticks and legend


def experts_figure(results: Results) -> go.Figure | None:
    """One panel per layer, one stacked bar per group; dots say which sensors were there."""
    rows = _rows(results)
    if not rows:
        return None
    labels = [str(row["label"]) for row in rows]
    patterns = patterns_of(results, labels)
    figure = _panels(len(rows[0]["experts"]), names(results) if patterns else [])
    offset = 1 if patterns is None else 2
    for layer, experts in enumerate(rows[0]["experts"]):
        for expert in range(len(experts)):
            _add_bars(figure, rows, layer, expert, layer + offset)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.001], tickvals=[0, 0.5])
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5], showgrid=False)
    if patterns is None:
        figure.update_yaxes(
            tickvals=list(range(len(rows))),
            ticktext=[wrapped(label, LABEL_WIDTH) for label in labels],
            col=1,
        )
    else:
        figure.update_yaxes(showticklabels=False)
        add_matrix(figure, patterns, names(results))
    each = 28 if patterns else label_height(labels)
    around = FEET + (NAMES if patterns else TITLES)
    height = row_height(len(rows), each, around)
    styled(figure, height, barmode="stack", bargap=0.3, margin_t=TITLES)
    # Below the ticks by a distance in pixels, whatever the height: names stand above.
    below = -30 / (height - around)
    return figure.update_layout(legend={"y": below, "yanchor": "top", "traceorder": "normal"})


def experts_width(results: Results) -> int:
    """Pixels below which the panels would be too narrow."""
    rows = _rows(results)
    return 150 + 90 * (len(rows[0]["experts"]) if rows else 0)


def experts_alt(results: Results) -> str:
    """What it shows."""
    rows = _rows(results)
    if not rows:
        return ""
    layers = [", ".join(f"{share:.0%}" for share in layer) for layer in rows[0]["experts"]]
    return f"Stacked bars of expert shares; {rows[0]['label']}: {'; '.join(layers)}."


def _rows(results: Results) -> list[dict[str, Any]]:
    return [row for row in results.explain if row.get("experts")]


def _panels(layers: int, sensors: list[str]) -> go.Figure:
    left = matrix_share(sensors) if sensors else 0.0
    titles = [f"Layer {layer + 1}" for layer in range(layers)] if layers > 1 else [""]
    return make_subplots(
        rows=1,
        cols=layers + bool(sensors),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=["", *titles] if sensors else titles,
        column_widths=[*([left] if sensors else []), *[(1 - left) / layers] * layers],
    ).update_annotations(font_size=13)


def _add_bars(
    figure: go.Figure, rows: list[dict[str, Any]], layer: int, expert: int, column: int
) -> None:
    figure.add_bar(
        x=[row["experts"][layer][expert] for row in rows],
        y=list(range(len(rows))),
        orientation="h",
        name=f"expert {expert + 1}",
        legendgroup=str(expert),
        showlegend=layer == 0,
        marker={
            "color": colour_of(expert),
            "pattern": {"shape": HATCHES[expert // len(PALETTE) % len(HATCHES)]},
        },
        customdata=[[plain(row["label"]), f"{row['n']:,}"] for row in rows],
        hovertemplate="%{customdata[0]} (%{customdata[1]} windows)<br>"
        f"layer {layer + 1}, expert {expert + 1}: %{{x:.1%}}<extra></extra>",
        meta={"layer": layer, "expert": expert},
        row=1,
        col=column,
    )
