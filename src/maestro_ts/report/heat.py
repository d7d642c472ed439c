"""A table of shares as cells of colour, with the numbers in them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from maestro_ts.report.theme import HEAT_SCALE, INK
from maestro_ts.report.wording import plain

__all__ = ["CELL", "add_heat", "heat_width"]

CELL = 46  # pixels that a number in a cell needs

Shares = Sequence[Sequence[float | None]]


def add_heat(
    figure: go.Figure,
    shares: Shares,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    largest: float,
    choice: str,
    visible: bool,
) -> None:
    """Add one table; of several the reader sees one at a time.

    Parameters
    ----------
    shares : [rows][columns]
        None: nothing is known of this cell.
    rows, columns : sequence of str
        As the reader is told of them.
    largest : float
        The share of the full colour.
    choice : str
        What this table is called among the others.
    """
    figure.add_heatmap(
        z=shares,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        zmin=0.0,
        zmax=largest,
        colorscale=HEAT_SCALE,
        showscale=False,
        xgap=2,
        ygap=2,
        texttemplate="%{z:.0%}",
        textfont={"color": INK},
        customdata=[[f"{plain(row)}<br>{plain(column)}" for column in columns] for row in rows],
        hovertemplate="%{customdata}: %{z:.1%}<extra></extra>",
        hoverongaps=False,
        name=plain(choice),
        meta={"choice": choice},
        visible=visible,
    )


def heat_width(columns: int, beside: int = 170) -> int:
    """Pixels below which the cells' numbers would touch."""
    return beside + columns * CELL
