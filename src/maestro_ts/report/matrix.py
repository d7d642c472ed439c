"""A panel of dots that says which sensors were there: shorter than their names in every row."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import INK, VOID
from maestro_ts.report.wording import pattern_label, plain, shortened

__all__ = ["add_matrix", "matrix_share", "patterns_of"]


def patterns_of(results: Results, labels: Sequence[str]) -> list[list[str]] | None:
    """The sensors kept in each labelled group; None unless every label is a tested pattern."""
    m = len(results.modalities)
    known = {
        pattern_label(row["pattern"], m): list(row["pattern"])
        for row in results.scores
        if row["mode"] == "pattern"
    }
    return [known[label] for label in labels] if all(la in known for la in labels) else None


def matrix_share(sensors: Sequence[str]) -> float:
    """Share of the figure's width that the panel takes."""
    return min(0.08 * len(sensors) + 0.02, 0.36)


def add_matrix(
    figure: go.Figure, patterns: Sequence[Sequence[str]], sensors: Sequence[str]
) -> None:
    """Draw the panel into the first column: one row per pattern, one column per sensor."""
    there = {"symbol": "circle", "color": INK, "size": 10}
    gone = {"symbol": "circle-open", "color": VOID, "size": 9, "line": {"width": 1.5}}
    for kept, marker, word in ((True, there, "there"), (False, gone, "missing")):
        cells = [
            (m, y)
            for y, pattern in enumerate(patterns)
            for m, sensor in enumerate(sensors)
            if (sensor in pattern) == kept
        ]
        figure.add_scatter(
            x=[m for m, _ in cells],
            y=[y for _, y in cells],
            customdata=[plain(sensors[m]) for m, _ in cells],
            mode="markers",
            marker=marker,
            name=word,
            showlegend=False,
            hovertemplate=f"%{{customdata}}: {word}<extra></extra>",
            row=1,
            col=1,
        )
    figure.update_xaxes(
        tickvals=list(range(len(sensors))),
        ticktext=[shortened(s) for s in sensors],
        tickangle=-90,
        side="top",
        range=[-0.5, len(sensors) - 0.5],
        showgrid=False,
        row=1,
        col=1,
    )
