"""Figure: how often the predicted class is right, against the probability that was claimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.calibration_tables import calibration_label
from maestro_ts.report.theme import MUTED, colour_of, styled, tint
from maestro_ts.report.wording import plain, scored

__all__ = ["RELIABILITY_CAPTION", "reliability_alt", "reliability_figure", "shown_rows"]

RELIABILITY_CAPTION = (
    "On the dotted line the model is right as often as it claims; below, it claims too much. Each "
    "dot stands for equally many windows of the test subjects; the band holds 95 % of the dots "
    "of a calibrated model with everything present, if windows were independent."
)
CHOICES = {"after": "Calibrated", "before": "As trained"}


def shown_rows(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Complete input, and of the first mode about 40 % and the most that was tested."""
    rows = list(found["rows"])
    first = [r for r in rows if r["mode"] == rows[0]["mode"]] if len(rows) > 1 else []
    missing = [r for r in first if r["rate"] > 0] or rows[1:]
    chosen = rows[:1]
    if missing:
        chosen += [min(missing, key=lambda r: abs(r["rate"] - 0.4)), missing[-1]]
    return [r for i, r in enumerate(chosen) if r not in chosen[:i]]


def reliability_figure(found: Mapping[str, Any]) -> go.Figure | None:
    """One line for each of a few conditions; with the temperature or without."""
    if not found["rows"]:
        return None
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": MUTED, "dash": "dot", "width": 1.5},
        name="as claimed",
        hoverinfo="skip",
    )
    rows = shown_rows(found)
    for key in CHOICES:
        _add_band(figure, rows[0][key], key)
        for i, row in enumerate(rows):
            _add_line(figure, row[key], key, calibration_label(row), colour_of(i))
    figure.update_xaxes(title_text="Probability claimed", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title_text="Share that is right", range=[0, 1.02], tickformat=".0%")
    return styled(figure, 420, legend_traceorder="normal")


def reliability_alt(found: Mapping[str, Any]) -> str:
    """What it shows."""
    said = "; ".join(
        f"{calibration_label(row)}: error {scored(row['before']['error'])} as trained, "
        f"{scored(row['after']['error'])} calibrated"
        for row in (shown_rows(found) if found["rows"] else [])
    )
    return f"Reliability diagram. {said}."


def _common(key: str) -> dict[str, Any]:
    return {"meta": {"choice": CHOICES[key]}, "visible": key == "after"}


def _add_band(figure: go.Figure, bins: Mapping[str, Any], key: str) -> None:
    for edge, fill in (("low", "none"), ("high", "tonexty")):
        figure.add_scatter(
            x=bins["confidence"],
            y=bins[edge],
            mode="lines",
            line={"width": 0, "color": colour_of(0)},
            fill=fill,
            fillcolor=tint(colour_of(0)),
            hoverinfo="skip",
            showlegend=False,
            **_common(key),
        )


def _add_line(
    figure: go.Figure, bins: Mapping[str, Any], key: str, label: str, colour: str
) -> None:
    figure.add_scatter(
        x=bins["confidence"],
        y=bins["accuracy"],
        customdata=bins["windows"],
        mode="lines+markers",
        name=plain(label),
        line={"color": colour, "width": 2},
        marker={"size": 7, "color": colour},
        hovertemplate="claimed %{x:.1%}, right %{y:.1%}<br>%{customdata} windows<extra></extra>",
        **_common(key),
    )
