"""Figures of an experiment: curves, differences, subjects and ranks of all entrants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.experiment_wording import METRIC_NAMES, by_mode
from maestro_ts.report.theme import MUTED, colour_of, row_height, styled, tint
from maestro_ts.report.wording import condition_label, plain, shortened, wrapped

__all__ = ["curve_figure", "differences_figure", "ranks_figure", "subjects_figure"]

DRAWN = ("macro_f1", "accuracy", "auroc")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
MOST_SUBJECTS = 60

Tree = Mapping[str, Any]


def curve_figure(summary: Tree, mode: str) -> go.Figure | None:
    """Score against missing rate, one line per entrant; bands are 95 % by subject."""
    first = by_mode(summary["entrants"][0])
    if len(first.get(mode, ())) < 2:
        return None
    figure = go.Figure()
    metrics = [m for m in DRAWN if m in first[mode][0]]
    for metric in metrics:
        for i, entrant in enumerate(summary["entrants"]):
            rows = by_mode(entrant)[mode]
            if i < 2:  # more bands than two hide each other
                _add_band(figure, rows, metric, i)
            _add_curve(figure, rows, metric, entrant["title"], i)
    trained = summary["entrants"][0]["recipe"]["curriculum"]["modality_max"]
    top = float(first[mode][-1]["rate"])
    if mode == "modality" and 0 < trained < top:
        figure.add_vline(
            x=trained,
            line={"color": MUTED, "dash": "dot", "width": 1.5},
            annotation={
                "text": "largest rate in training",
                "font": {"color": MUTED, "size": 11},
                "textangle": -90,
                "xanchor": "right",
                "yanchor": "bottom",
                "y": 0.02,
            },
        )
    figure.update_xaxes(
        title_text="Missing rate", tickformat=".0%", dtick=0.2, range=[-0.03, top + 0.03]
    )
    figure.update_yaxes(title_text=METRIC_NAMES["macro_f1"], range=[0, 1.02])
    styled(figure, 400 + 20 * len(summary["entrants"]), meta={"titled": "yaxis"})
    return figure.update_layout(legend_traceorder="normal", hovermode="closest")


def differences_figure(summary: Tree) -> go.Figure | None:
    """Macro-F1 of the first entrant minus each other's, with intervals; one rival at a time."""
    if not summary["differences"]:
        return None
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    m = len(summary["dataset"]["modalities"])
    figure = go.Figure()
    labels: list[str] = []
    for i, gaps in enumerate(summary["differences"]):
        rows = [(condition_label(c, m), c["macro_f1"]) for c in gaps["conditions"]]
        labels = [label for label, _ in rows]
        figure.add_scatter(
            x=[values[0] for _, values in rows],
            y=list(range(len(rows))),
            error_x=_bars([values for _, values in rows]),
            mode="markers",
            marker={"color": colour_of(0), "size": 8},
            showlegend=False,
            hovertemplate="%{x:+.3f}<extra></extra>",
            meta={"choice": f"minus {titles[gaps['b']]}"},
            visible=i == 0,
        )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure.update_xaxes(title_text="Difference in macro-F1", tickformat="+.2f")
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[wrapped(label, 24) for label in labels],
        range=[len(labels) - 0.5, -0.5],
    )
    return styled(figure, row_height(len(labels), 34, 90))


def subjects_figure(summary: Tree) -> go.Figure | None:
    """One row per subject, one mark per entrant, with everything present."""
    people = summary["entrants"][0]["subjects"]
    if not 1 < len(people) <= MOST_SUBJECTS:
        return None
    order = sorted(range(len(people)), key=lambda i: -float(people[i]["macro_f1"]))
    figure = go.Figure()
    for k, entrant in enumerate(summary["entrants"]):
        rows = [entrant["subjects"][i] for i in order]
        figure.add_scatter(
            x=[row["macro_f1"] for row in rows],
            y=list(range(len(rows))),
            mode="markers",
            name=plain(entrant["title"]),
            marker={"color": colour_of(k), "size": 9, "symbol": SYMBOLS[k % len(SYMBOLS)]},
            customdata=[plain(row["subject"]) for row in rows],
            hovertemplate="%{customdata}: %{x:.3f}<extra></extra>",
        )
    figure.update_xaxes(title_text=METRIC_NAMES["macro_f1"], range=[0, 1.02])
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[shortened(people[i]["subject"], 14) for i in order],
        range=[len(order) - 0.5, -0.5],
    )
    return styled(figure, row_height(len(order), 24, 100 + 20 * len(summary["entrants"])))


def ranks_figure(ranks: Tree | None, titles: Mapping[str, str]) -> go.Figure | None:
    """Mean ranks with bars as long as the critical difference: those that overlap do not differ."""
    if ranks is None:
        return None
    order = sorted(ranks["mean"], key=lambda name: float(ranks["mean"][name]))
    figure = go.Figure()
    figure.add_scatter(
        x=[ranks["mean"][name] for name in order],
        y=list(range(len(order))),
        error_x={"type": "constant", "value": ranks["critical_difference"] / 2, "thickness": 1.5},
        mode="markers",
        marker={"color": colour_of(0), "size": 9},
        hovertemplate="mean rank %{x:.2f}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title_text="Mean rank (1 is best)")
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[wrapped(titles[name], 24) for name in order],
        range=[len(order) - 0.5, -0.5],
    )
    return styled(figure, row_height(len(order), 36, 90))


def _bars(values: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    known = [(v[0] or 0.0, v[1], v[2]) for v in values]
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if high is None else high - point for point, _, high in known],
        "arrayminus": [0.0 if low is None else point - low for point, low, _ in known],
        "thickness": 1.5,
    }


def _common(metric: str, who: int) -> dict[str, Any]:
    return {
        "meta": {"choice": METRIC_NAMES[metric]},
        "visible": metric == "macro_f1",
        "legendgroup": str(who),
    }


def _add_band(figure: go.Figure, rows: Sequence[Tree], metric: str, who: int) -> None:
    bounds = [row.get(f"{metric}_interval") for row in rows]
    if not all(bounds):
        return
    for edge, fill in ((0, "none"), (1, "tonexty")):
        figure.add_scatter(
            x=[row["rate"] for row in rows],
            y=[b[edge] for b in bounds if b],
            mode="lines",
            line={"width": 0, "color": colour_of(who)},
            fill=fill,
            fillcolor=tint(colour_of(who)),
            hoverinfo="skip",
            showlegend=False,
            **_common(metric, who),
        )


def _add_curve(figure: go.Figure, rows: Sequence[Tree], metric: str, title: str, who: int) -> None:
    figure.add_scatter(
        x=[row["rate"] for row in rows],
        y=[row[metric] for row in rows],
        mode="lines+markers",
        name=plain(title),
        line={"color": colour_of(who), "width": 2.5, "dash": DASHES[who // 6 % len(DASHES)]},
        marker={"size": 7, "symbol": SYMBOLS[who % len(SYMBOLS)]},
        customdata=[plain(title)] * len(rows),
        hovertemplate=f"%{{customdata}}: {METRIC_NAMES[metric]} %{{y:.3f}} at %{{x:.0%}}"
        "<extra></extra>",
        **_common(metric, who),
    )
