"""Figure: the scores against the share of the signal that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import colour_of, styled, tint
from maestro_ts.report.wording import (
    Metric,
    axis_of,
    metrics_of,
    mode_label,
    percent,
    plain,
    scored,
)

__all__ = [
    "band",
    "curves",
    "missing_rate_alt",
    "missing_rate_caption",
    "missing_rate_figure",
    "rival_curves",
]

DASHES = ("dash", "dot", "dashdot", "longdash")
SYMBOLS = ("square-open", "diamond-open", "triangle-up-open", "cross-open")
BANDS = {
    "folds": "from the lowest to the highest fold",
    "subjects": "over the 95 % interval by subject (bootstrap)",
}
Rows = Sequence[Mapping[str, Any]]


def curves(results: Results) -> dict[str, Rows]:
    """Rows by rate of every mode that has a rate."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    if results.curve:
        found["modality"] = list(results.curve)
    for row in results.scores:
        if row["mode"] not in ("pattern", "modality"):
            found.setdefault(row["mode"], []).append(row)
    return {mode: sorted(rows, key=lambda r: float(r["rate"])) for mode, rows in found.items()}


def rival_curves(results: Results) -> list[tuple[str, str, Rows]]:
    """Name, mode and rows of what the model is compared with."""
    found: list[tuple[str, str, Rows]] = []
    for name, rows in (results.about.get("rivals") or {}).items():
        for mode in dict.fromkeys(str(r["mode"]) for r in rows):
            same = sorted((r for r in rows if r["mode"] == mode), key=lambda r: float(r["rate"]))
            found.append((str(name), mode, same))
    return found


def band(rows: Rows, metric: str) -> tuple[str, list[float], list[float]] | None:
    """Kind, lower and upper edge: over the folds if there are several, else by subject."""
    if all(len(row.get("folds") or ()) > 1 for row in rows):
        values = [[fold[metric] for fold in row["folds"]] for row in rows]
        if any(v is None for fold in values for v in fold):
            return None
        return "folds", [min(v) for v in values], [max(v) for v in values]
    bounds = [row.get(f"{metric}_interval") for row in rows]
    known = [b for b in bounds if b]
    if len(known) < len(rows):
        return None
    return "subjects", [b[0] for b in known], [b[1] for b in known]


def missing_rate_figure(results: Results) -> go.Figure | None:
    """One line per mode and metric; rivals in the mode's colour, dashed."""
    by_mode = curves(results)
    if not by_mode:
        return None
    figure = go.Figure()
    rivals = rival_curves(results)
    modes = list(dict.fromkeys([*by_mode, *(mode for _, mode, _ in rivals)]))
    colours = {mode: colour_of(i) for i, mode in enumerate(modes)}
    for metric in metrics_of(results):
        for mode, rows in by_mode.items():
            _add_band(figure, rows, metric, mode, colours[mode])
            _add_line(figure, rows, metric, mode, colours[mode])
        for name, mode, rows in rivals:
            look = list(results.about["rivals"]).index(name)
            _add_rival(figure, rows, metric, (name, mode), colours[mode], look)
    top = max(float(row["rate"]) for rows in by_mode.values() for row in rows)
    figure.update_xaxes(
        title_text="Missing rate", tickformat=".0%", dtick=0.2, range=[-0.03, max(top, 0.2) + 0.03]
    )
    figure.update_yaxes(title_text=metrics_of(results)[0].label, **axis_of(results))
    # The page writes the chosen metric to this axis.
    styled(figure, 420, meta={"titled": "yaxis"}, hovermode="closest")
    # Filled bands would turn the order of the legend round.
    return figure.update_layout(legend_traceorder="grouped")


def missing_rate_caption(results: Results) -> str:
    """How to read it, and what the bands are."""
    main = metrics_of(results)[0].key
    kinds = {b[0] for rows in curves(results).values() if (b := band(rows, main))}
    text = "The flatter a line, the less what is missing costs"
    if results.about.get("rivals"):
        text += "; dashed lines are other models under the same conditions"
    said = [f"bands run {' or '.join(BANDS[k] for k in sorted(kinds))}"] if kinds else []
    if results.curve and band(results.curve, main) is None:
        said.append("the line of whole sensors is an average over all their combinations")
    return f"{text}. {_sentence('; '.join(said))}".rstrip()


def missing_rate_alt(results: Results) -> str:
    """What it shows."""
    said, main = [], metrics_of(results)[0]
    for mode, rows in curves(results).items():
        ends = [f"{scored(r[main.key])} at {percent(r['rate'])}" for r in (rows[0], rows[-1])]
        said.append(f"{mode_label(mode)}: {main.within} {' and '.join(ends)}")
    return f"Line chart of scores by missing rate; {'; '.join(said)}."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _common(metric: Metric, mode: str) -> dict[str, Any]:
    return {
        "meta": {"choice": metric.label, "mode": mode},
        "visible": metric.main,
        "legendgroup": mode,
    }


def _add_band(figure: go.Figure, rows: Rows, metric: Metric, mode: str, colour: str) -> None:
    edges = band(rows, metric.key)
    if edges is None:
        return
    for values, fill in zip(edges[1:], ("none", "tonexty"), strict=True):
        figure.add_scatter(
            x=[row["rate"] for row in rows],
            y=values,
            mode="lines",
            line={"width": 0, "color": colour},
            fill=fill,
            fillcolor=tint(colour),
            hoverinfo="skip",
            showlegend=False,
            **_common(metric, mode),
        )


def _add_line(figure: go.Figure, rows: Rows, metric: Metric, mode: str, colour: str) -> None:
    figure.add_scatter(
        x=[row["rate"] for row in rows],
        y=[row[metric.key] for row in rows],
        customdata=[row.get("realised") for row in rows],
        mode="lines+markers",
        name=plain(mode_label(mode)),
        line={"color": colour, "width": 2.5},
        marker={"size": 7, "color": colour},
        hovertemplate=f"{metric.label} %{{y:.3f}} at %{{x:.0%}}<br>"
        "really missing: %{customdata:.1%}<extra></extra>",
        **_common(metric, mode),
    )


def _add_rival(
    figure: go.Figure, rows: Rows, metric: Metric, who: tuple[str, str], colour: str, look: int
) -> None:
    name, mode = who
    figure.add_scatter(
        x=[row["rate"] for row in rows],
        y=[row[metric.key] for row in rows],
        customdata=[plain(name)] * len(rows),
        mode="lines+markers",
        name=plain(f"{name}: {mode_label(mode)}"),
        line={"color": colour, "width": 1.5, "dash": DASHES[look % len(DASHES)]},
        marker={"size": 7, "color": colour, "symbol": SYMBOLS[look % len(SYMBOLS)]},
        hovertemplate=f"%{{customdata}}: {metric.label} %{{y:.3f}} at %{{x:.0%}}<extra></extra>",
        **_common(metric, mode),
    )
