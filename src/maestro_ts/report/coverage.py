"""Figure: how many sets hold the true class, how many windows get an answer, by missing rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.calibration_tables import told_level
from maestro_ts.report.theme import MUTED, colour_of, styled
from maestro_ts.report.wording import mode_label, percent, plain

__all__ = ["coverage_alt", "coverage_caption", "coverage_figure"]

CHOICES = {"covered": "Covered", "answered": "Answered"}
Points = list[tuple[float, Mapping[str, Any]]]


def coverage_figure(found: Mapping[str, Any]) -> go.Figure | None:
    """One line per mode for each choice, and the coverage that was asked for."""
    level = told_level(found)
    if level is None or not found["rows"]:
        return None
    figure = go.Figure()
    by_mode = _by_mode(found, level)
    top = max(rate for points in by_mode.values() for rate, _ in points)
    figure.add_scatter(
        x=[0, max(top, 0.2)],
        y=[level, level],
        mode="lines",
        line={"color": MUTED, "dash": "dot", "width": 1.5},
        name=f"asked: {percent(level)}",
        hoverinfo="skip",
        meta={"choice": CHOICES["covered"]},  # nothing was asked of the answers
    )
    for choice in CHOICES:
        for i, (mode, points) in enumerate(by_mode.items()):
            _add_line(figure, points, choice, mode, colour_of(i))
    figure.update_xaxes(
        title_text="Missing rate", tickformat=".0%", dtick=0.2, range=[-0.03, max(top, 0.2) + 0.03]
    )
    figure.update_yaxes(title_text="Share of windows", range=[0, 1.02], tickformat=".0%")
    return styled(figure, 420, legend_traceorder="normal")


def coverage_caption(found: Mapping[str, Any]) -> str:
    """How to read it."""
    level = told_level(found)
    if level is None:
        return ""
    return (
        f"Covered: the set of classes holds the true one; it was asked for {percent(level)} of the "
        "windows of a new subject, whatever is missing. Answered: the set is one class; otherwise "
        "the model abstains. Bars are 95 % intervals by subject."
    )


def coverage_alt(found: Mapping[str, Any]) -> str:
    """What it shows."""
    level = told_level(found)
    if level is None:
        return ""
    said = []
    for mode, points in _by_mode(found, level).items():
        ends = " and ".join(
            f"{percent(s['covered'])} covered, {percent(s['answered'])} answered at {percent(rate)}"
            for rate, s in (points[0], points[-1])
        )
        said.append(f"{mode_label(mode)}: {ends}")
    return f"Line chart of coverage by missing rate, {percent(level)} asked; {'; '.join(said)}."


def _by_mode(found: Mapping[str, Any], level: float) -> dict[str, Points]:
    """Rates and scores of the sets of every mode, complete input first in each."""
    lines: dict[str, Points] = {}
    for row in found["rows"]:
        scores = next(s for s in row["sets"] if s["coverage"] == level)
        lines.setdefault(row["mode"], []).append((float(row["rate"]), scores))
    complete = next(iter(lines.values()))[0]
    for points in lines.values():
        if points[0][0] > 0 and complete[0] == 0:
            points.insert(0, complete)
    return lines


def _add_line(figure: go.Figure, points: Points, choice: str, mode: str, colour: str) -> None:
    scores = [s for _, s in points]
    values = [s[choice] for s in scores]
    spans = [s["covered_interval"] for s in scores] if choice == "covered" else []
    bars = None
    if spans and all(spans):
        bars = {
            "type": "data",
            "symmetric": False,
            "array": [max(b[1] - v, 0) for b, v in zip(spans, values, strict=True)],
            "arrayminus": [max(v - b[0], 0) for b, v in zip(spans, values, strict=True)],
            "color": colour,
            "thickness": 1,
        }
    figure.add_scatter(
        x=[rate for rate, _ in points],
        y=values,
        error_y=bars,
        customdata=[[s["size"], s["answered"]] for s in scores],
        mode="lines+markers",
        name=plain(mode_label(mode)),
        line={"color": colour, "width": 2.5},
        marker={"size": 7, "color": colour},
        hovertemplate=f"{CHOICES[choice].lower()} %{{y:.1%}} at %{{x:.0%}}<br>"
        "%{customdata[0]:.2f} classes a set, one class in %{customdata[1]:.0%}<extra></extra>",
        meta={"choice": CHOICES[choice]},
        visible=choice == "covered",
    )
