"""Colours and the common look of all figures; one table turns the light scheme into the dark."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

__all__ = [
    "DARK",
    "HEAT_SCALE",
    "INK",
    "MUTED",
    "PALETTE",
    "VOID",
    "colour_of",
    "row_height",
    "styled",
    "tint",
]

# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)

INK, MUTED, GRID, VOID, PAPER = "#24292F", "#66707B", "#E2E5E9", "#D3D7DC", "#FEFEFE"
HEAT = "#5AB6EC"
# From nothing to a colour: the low end shows the page, whichever scheme it has.
HEAT_SCALE = [[0.0, "rgba(90,182,236,0)"], [1.0, HEAT]]

_SWAPS = {
    BLUE: "#58A9E8",
    VERMILLION: "#F07D33",
    GREEN: "#2BB98D",
    PURPLE: "#DB93BC",
    ORANGE: "#EFB02E",
    SKY: "#8FD0F5",
    INK: "#E3E6EA",
    MUTED: "#9AA4AF",
    GRID: "#333A43",
    VOID: "#454D57",
    PAPER: "#1D2229",
    HEAT: "#17689F",
}


def tint(colour: str, alpha: float = 0.18) -> str:
    """The colour as a translucent fill."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


# Figures are stored with the light colours; the page replaces each by its partner.
DARK = _SWAPS | {tint(c): tint(_SWAPS[c]) for c in PALETTE}


def colour_of(i: int) -> str:
    """The i-th colour; the palette starts again when it is used up."""
    return PALETTE[i % len(PALETTE)]


def row_height(rows: int, each: int = 28, around: int = 110) -> int:
    """Height in pixels of a figure with horizontal rows."""
    return rows * each + around


def styled(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """Give a figure the common look; `layout` goes on top."""
    figure.update_layout(
        template=go.layout.Template(),
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        autosize=True,
        height=height,
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        hoverlabel={
            "bgcolor": PAPER,
            "bordercolor": MUTED,
            "font": {"color": INK},
            "align": "left",
        },
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0, "xanchor": "left"},
        # A drag must scroll the page on a telephone, not zoom the figure.
        dragmode=False,
    )
    axis = {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(**layout)
    return figure
