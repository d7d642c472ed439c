"""Page sections: which experts serve which tokens, and what that says of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.experiment_wording import number
from maestro_ts.report.heat import Shares, add_heat, heat_width
from maestro_ts.report.theme import BLUE, VOID, row_height, styled
from maestro_ts.report.wording import pattern_label, percent, wrapped

__all__ = ["information_figure", "routing_figure", "routing_sections"]

WIDTH = 24  # characters of a row's label
INFORMATION = (
    "Normalised mutual information, 0 to 1: how much the choice of an expert says of the pattern "
    "of missing sensors or of the token's modality. Shuffled: the same with patterns, or "
    "modalities, exchanged within each window, mean and 95th percentile of 200 shuffles. Over all "
    "tokens a pattern shows already because sensors that are away send hardly any; within a "
    "modality only a choice that reacts to the others' absence counts."
)
SHARES = (
    "Of fold {fold}, seed {seed}; experts of another model have other numbers. Each row adds up to "
    "100 % over the experts. Rows that differ mean that experts specialise."
)
TITLES = {"by_pattern": "by what is there", "by_kind": "by modality"}

Tree = Mapping[str, Any]


def routing_sections(summary: Tree) -> list[Section]:
    """Information first, then the shares of the first model."""
    found = summary["found"]
    first = found["models"][0]
    caption = SHARES.format(fold=first["fold"], seed=first["seed"])
    alt = "Heat maps of the share of tokens per expert; the same numbers are in the tables."
    experts = len(first["layers"][0]["by_pattern"][0])
    width = heat_width(experts)
    return [
        *section(
            "information",
            "What the choice says",
            block("mutual", information_figure(found), INFORMATION, _said(found), 360),
            tables=[_information(summary)],
        ),
        *section(
            "patterns",
            "By the sensors that are there",
            block("by-pattern", routing_figure(found, "by_pattern"), caption, alt, width),
            tables=_shares(found, "by_pattern"),
        ),
        *section(
            "modalities",
            "By modality",
            block("by-kind", routing_figure(found, "by_kind"), caption, alt, width),
            tables=_shares(found, "by_kind"),
        ),
    ]


def information_figure(found: Tree) -> go.Figure:
    """A dot per layer and pair; the grey bar ends where 95 % of the shuffles do."""
    rows = found["information"]
    labels = [_pair(row) for row in rows]
    figure = go.Figure()
    figure.add_bar(
        x=[row["shuffled_upper"] for row in rows],
        y=list(range(len(rows))),
        orientation="h",
        marker={"color": VOID},
        width=0.5,
        name="95 % of the shuffles",
        hovertemplate="95 % of the shuffles: up to %{x:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=[row["value"] for row in rows],
        y=list(range(len(rows))),
        error_x={
            "type": "data",
            "array": [row["deviation"] or 0.0 for row in rows],
            "thickness": 1.2,
            "width": 3,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        name="of the model",
        hovertemplate="%{x:.3f}<extra></extra>",
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[wrapped(label, WIDTH, 3) for label in labels],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(title_text="Normalised mutual information", rangemode="tozero")
    return styled(figure, row_height(len(rows), 48, 110), legend_traceorder="normal")


def _pair(row: Tree) -> str:
    return f"layer {row['layer'] + 1}, expert and {row['pair']}"


def _said(found: Tree) -> str:
    told = "; ".join(
        f"{_pair(row)} {number(row['value'])}, shuffled {number(row['shuffled_mean'])}"
        for row in found["information"]
    )
    return f"Dot chart of normalised mutual information: {told}."


def routing_figure(found: Tree, by: str) -> go.Figure:
    """One heat map per layer: rows are patterns or modalities, columns experts."""
    layers = found["models"][0]["layers"]
    figure = go.Figure()
    rows = _rows(found, by)
    for i, layer in enumerate(layers):
        there, shares = _known(rows, layer[by])
        experts = [f"expert {e + 1}" for e in range(len(shares[0]))]
        add_heat(
            figure,
            shares,
            there,
            experts,
            largest=1.0,
            choice=f"Layer {i + 1}",
            visible=i == 0,
        )
    figure.update_yaxes(
        tickvals=list(range(len(there))),
        ticktext=[wrapped(row, WIDTH, 2) for row in there],
        range=[len(there) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(
        tickvals=list(range(len(experts))),
        ticktext=[str(e + 1) for e in range(len(experts))],
        title_text="Expert",
        showgrid=False,
    )
    return styled(figure, row_height(len(there), 36, 90))


def _information(summary: Tree) -> Table:
    """One row per layer and pair."""
    count = len(summary["runs"])
    rows = [
        [
            _pair(row),
            number(row["value"])
            + ("" if row["deviation"] is None else f" ± {number(row['deviation'])}"),
            number(row["shuffled_mean"]),
            number(row["shuffled_upper"]),
            f"{row['above']} of {count}",
        ]
        for row in summary["found"]["information"]
    ]
    return Table(
        "Normalised mutual information",
        ["", "value", "shuffled, mean", "shuffled, 95 %", "models above"],
        rows,
    )


def _shares(found: Tree, by: str) -> list[Table]:
    tables = []
    for i, layer in enumerate(found["models"][0]["layers"]):
        there, shares = _known(_rows(found, by), layer[by])
        lines = [
            [label, *(percent(round(s or 0.0, 3)) for s in row)]
            for label, row in zip(there, shares, strict=True)
        ]
        head = ["", *(f"expert {e + 1}" for e in range(len(shares[0])))]
        tables.append(Table(f"Shares {TITLES[by]}, layer {i + 1}", head, lines, folded=True))
    return tables


def _rows(found: Tree, by: str) -> list[str]:
    if by == "by_kind":
        return [str(kind) for kind in found["kinds"]]
    most = max(len(kept) for kept in found["patterns"])
    return [pattern_label(kept, most) for kept in found["patterns"]]


def _known(labels: list[str], shares: list[list[float] | None]) -> tuple[list[str], Shares]:
    """Rows that have tokens."""
    both = [(la, row) for la, row in zip(labels, shares, strict=True) if row is not None]
    return [la for la, _ in both], [row for _, row in both]
