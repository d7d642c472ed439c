"""Page sections: the attention of every modality to every other in the fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.experiment_wording import number
from maestro_ts.report.heat import add_heat, heat_width
from maestro_ts.report.theme import row_height, styled
from maestro_ts.report.wording import percent, shortened, wrapped

__all__ = ["attention_figure", "attention_sections"]

LARGEST = 0.6  # share of the full colour; a row of several modalities seldom has more
CAPTION = (
    "Rows attend to columns: the share of a row's attention that lies on the column's tokens, "
    "mean over heads, tokens, windows and {models}. Each row adds up to 100 %. A missing modality "
    "is its one missing token. Read from the network's own attention, queries without attention of "
    "their own (they take the mean value) counted as looking everywhere alike."
)
EVEN = "even: all tokens alike"

Tree = Mapping[str, Any]


def attention_sections(summary: Tree) -> list[Section]:
    """The maps, their numbers, and what each sensor's absence costs."""
    found, count = summary["found"], len(summary["runs"])
    models = "one model" if count == 1 else f"{count} models"
    alt = "Heat maps of attention between modalities; the same numbers are in the tables."
    figure = block(
        "attention",
        attention_figure(found),
        CAPTION.format(models=models),
        alt,
        heat_width(len(found["kinds"])),
    )
    return [
        *section(
            "maps",
            "From modality to modality",
            figure,
            facts=[("Strongest sensor", found["strongest"])],
            tables=_maps(found),
        ),
        *section("absence", "What each absence costs", [], tables=[_costs(found)]),
    ]


def attention_figure(found: Tree) -> go.Figure:
    """One heat map per layer and absence; the last row is what even attention would be."""
    kinds, figure = found["kinds"], go.Figure()
    rows = [*kinds, EVEN]
    first = True
    for one in found["maps"]:
        for i, layer in enumerate(one["layers"]):
            blank = [None] * len(kinds)
            add_heat(
                figure,
                [*(row or blank for row in layer), one["even"]],
                rows,
                kinds,
                largest=LARGEST,
                choice=_title(one, i),
                visible=first,
            )
            first = False
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[wrapped(row, 16, 2) for row in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(
        tickvals=list(range(len(kinds))),
        ticktext=[shortened(kind, 16) for kind in kinds],
        tickangle=-60,
        showgrid=False,
    )
    return styled(figure, row_height(len(rows), 40, 130))


def _title(one: Tree, layer: int) -> str:
    what = "everything present" if one["absent"] is None else f"without {one['absent']}"
    return f"Layer {layer + 1}, {what}"


def _maps(found: Tree) -> list[Table]:
    tables = []
    for one in found["maps"]:
        for i, layer in enumerate(one["layers"]):
            lines = [
                [kind, *(["–"] * len(row or found["kinds"]) if row is None else map(_share, row))]
                for kind, row in zip(found["kinds"], layer, strict=True)
            ]
            lines.append([EVEN, *map(_share, one["even"])])
            tables.append(Table(_title(one, i), ["", *found["kinds"]], lines, folded=True))
    return tables


def _share(value: float) -> str:
    return percent(round(value, 3))


def _costs(found: Tree) -> Table:
    whole = found["accuracy"]["everything"]
    rows = [
        [name, number(value), "" if name == "everything" else number(whole - value)]
        for name, value in sorted(found["accuracy"].items(), key=lambda pair: -pair[1])
    ]
    return Table("Accuracy on the windows of the maps", ["", "accuracy", "lost"], rows)
