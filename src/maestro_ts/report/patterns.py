"""Figure and table: the score with every combination of sensors that is left."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maestro_ts.evaluation.results import Results
from maestro_ts.report.blocks import Table
from maestro_ts.report.matrix import add_matrix, matrix_share
from maestro_ts.report.theme import BLUE, INK, row_height, styled
from maestro_ts.report.wording import (
    Metric,
    axis_of,
    interval,
    metrics_of,
    names,
    pattern_label,
    scored,
    wrapped,
)

__all__ = ["PATTERNS_CAPTION", "pattern_rows", "patterns_alt", "patterns_figure", "patterns_table"]

PATTERNS_CAPTION = (
    "Each row is one combination of sensors, the best on top: a filled dot is a sensor that was "
    "there, a ring one that was missing. Whiskers are 95 % intervals by subject."
)
SHOWN_OPEN = 8  # rows; a longer table is folded


def pattern_rows(results: Results) -> list[dict[str, Any]]:
    """Scores of all patterns, the best first; none where there is nothing to compare."""
    rows = [row for row in results.scores if row["mode"] == "pattern"]
    if len(rows) < 2:
        return []
    main = metrics_of(results)[0]
    return sorted(rows, key=lambda row: -main.sign * float(row[main.key]))


def patterns_figure(results: Results) -> go.Figure | None:
    """A matrix of what was there beside a bar for each pattern."""
    rows = pattern_rows(results)
    if not rows:
        return None
    sensors = names(results)
    left = matrix_share(sensors)
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        column_widths=[left, 1 - left],
        horizontal_spacing=0.02,
    )
    add_matrix(figure, [row["pattern"] for row in rows], sensors)
    for metric in metrics_of(results):
        _add_bars(figure, rows, metric, len(sensors))
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5], showgrid=False, showticklabels=False)
    title = metrics_of(results)[0].label
    figure.update_xaxes(title_text=title, **axis_of(results), row=1, col=2)
    return styled(
        figure,
        row_height(len(rows), 24, 130),
        meta={"titled": "xaxis2"},
        showlegend=False,
        bargap=0.3,
        barmode="overlay",
    )


def patterns_alt(results: Results) -> str:
    """What it shows."""
    rows = pattern_rows(results)
    m = len(results.modalities)
    if not rows:
        return ""
    best, worst, main = rows[0], rows[-1], metrics_of(results)[0]
    return (
        f"Bar chart of {len(rows)} sensor combinations: from {main.within} "
        f"{scored(best[main.key])} ({pattern_label(best['pattern'], m)}) to "
        f"{scored(worst[main.key])} ({pattern_label(worst['pattern'], m)})."
    )


def patterns_table(results: Results) -> list[Table]:
    """The same numbers in a table."""
    rows = pattern_rows(results)
    if not rows:
        return []
    m = len(results.modalities)
    head = [
        "Sensors",
        "Missing",
        "Windows",
        *(text for metric in metrics_of(results) for text in (metric.label, "95 % interval")),
    ]
    body = [
        [
            pattern_label(row["pattern"], m),
            str(m - len(row["pattern"])),
            f"{row['n']:,}",
            *(
                text
                for metric in metrics_of(results)
                for text in (
                    scored(row[metric.key]),
                    interval(row.get(f"{metric.key}_interval")),
                )
            ),
        ]
        for row in rows
    ]
    return [Table("All sensor combinations", head, body, folded=len(body) > SHOWN_OPEN)]


def _add_bars(figure: go.Figure, rows: list[dict[str, Any]], metric: Metric, m: int) -> None:
    rows = [row for row in rows if row[metric.key] is not None]
    values = [row[metric.key] for row in rows]
    bounds = [row.get(f"{metric.key}_interval") or [row[metric.key]] * 2 for row in rows]
    figure.add_bar(
        x=values,
        y=list(range(len(rows))),
        orientation="h",
        name=metric.label,
        marker={"color": BLUE},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(b[1] - v, 0.0) for b, v in zip(bounds, values, strict=True)],
            "arrayminus": [max(v - b[0], 0.0) for b, v in zip(bounds, values, strict=True)],
            "color": INK,
            "thickness": 1.2,
            "width": 3,
        },
        customdata=[
            [wrapped(pattern_label(row["pattern"], m), 32), *b]
            for row, b in zip(rows, bounds, strict=True)
        ],
        hovertemplate=f"%{{customdata[0]}}<br>{metric.label} %{{x:.3f}} "
        "(%{customdata[1]:.3f}–%{customdata[2]:.3f})<extra></extra>",
        meta={"choice": metric.label},
        visible=metric.main,
        row=1,
        col=2,
    )
