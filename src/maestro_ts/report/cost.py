"""Figure: what a window costs as more and more sensors are missing."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import BLUE, styled, tint

__all__ = ["COST_CAPTION", "cost_alt", "cost_facts", "cost_figure", "counted"]

COST_CAPTION = (
    "Multiply-accumulates of one window, counted: mean over the patterns with so many modalities "
    "missing, the band is the cheapest to the dearest. A falling line means that the model does "
    "not compute what is not there."
)
STEPS = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def counted(value: float) -> str:
    """A large number in three digits, e.g. ``12.3 M``."""
    for size, letter in STEPS:
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}"


def cost_figure(results: Results) -> go.Figure | None:
    """A line over the number of absent modalities, in a band from the lowest to the highest."""
    rows = results.cost.get("macs_by_missing") or []
    if not rows:
        return None
    figure = go.Figure()
    missing = [row["missing"] for row in rows]
    if all("lowest" in row for row in rows):  # not in the results of earlier versions
        figure.add_scatter(
            x=missing + missing[::-1],
            y=[row["highest"] for row in rows] + [row["lowest"] for row in reversed(rows)],
            mode="lines",
            fill="toself",
            fillcolor=tint(BLUE),
            line={"width": 0, "color": BLUE},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=missing,
        y=[row["macs"] for row in rows],
        text=[_told(row) for row in rows],
        mode="lines+markers",
        line={"color": BLUE, "width": 2.5},
        marker={"size": 7},
        hovertemplate="%{x} missing: %{text} multiply-accumulates<extra></extra>",
    )
    figure.update_xaxes(title_text="Modalities missing", dtick=1 if len(rows) < 16 else None)
    figure.update_yaxes(title_text="Multiply-accumulates", rangemode="tozero", tickformat="~s")
    return styled(figure, 300, showlegend=False)


def _told(row: dict[str, Any]) -> str:
    """Mean and range of a row, e.g. ``3.2 M (2.9 M to 3.6 M)``."""
    if row.get("lowest", row["macs"]) == row.get("highest", row["macs"]):
        return counted(row["macs"])
    return f"{counted(row['macs'])} ({counted(row['lowest'])} to {counted(row['highest'])})"


def cost_facts(results: Results) -> list[tuple[str, str]]:
    """Parameters, and the cost of a complete window."""
    facts = []
    if results.cost.get("parameters") is not None:
        facts.append(("Parameters", f"{results.cost['parameters']:,}"))
    if results.cost.get("macs_full") is not None:
        facts.append(("Multiply-accumulates per window", counted(results.cost["macs_full"])))
    return facts


def cost_alt(results: Results) -> str:
    """What it shows."""
    said = [
        f"{_told(row)} with {row['missing']} missing"
        for row in results.cost.get("macs_by_missing") or []
    ]
    return f"Line chart of multiply-accumulates per window: {', '.join(said)}."
