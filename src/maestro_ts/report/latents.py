"""Page sections: a map of windows in the network's space, and whether they stay in place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import plotly.graph_objects as go

from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.experiment_wording import number
from maestro_ts.report.theme import PALETTE, colour_of, styled
from maestro_ts.report.wording import percent, plain, shortened

__all__ = ["latent_sections", "latents_figure"]

SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star")
CAPTION = (
    "Test windows of fold {fold}, seed {seed}: what the head is given, by the two main axes of the "
    "windows with everything present ({shares} of their variance); the axes are the same for all "
    "three pictures. Two of many axes: classes that overlap here may be apart in others."
)
SCORES = (
    ("silhouette", "silhouette"),
    ("class_agreement", "neighbours of its class"),
    ("neighbours_kept", "neighbours kept"),
)

Tree = Mapping[str, Any]


def latent_sections(summary: Tree) -> list[Section]:
    """The map and the scores."""
    found = summary["found"]
    first = found["models"][0]
    shares = " and ".join(percent(round(s, 3)) for s in found["map"]["explained"])
    caption = CAPTION.format(fold=first["fold"], seed=first["seed"], shares=shares)
    said = ", ".join(
        f"{_title(row['rate'])} {number(row['class_agreement'])}" for row in found["rates"]
    )
    alt = f"Scatter plot of windows by class; share of neighbours of the same class: {said}."
    return [
        *section("map", "A map of windows", block("latents", latents_figure(found), caption, alt)),
        *section("scores", "Do they stay in place?", [], tables=[_scores(found)]),
    ]


def latents_figure(found: Tree) -> go.Figure:
    """One picture per missing rate, one colour and symbol per class."""
    one, figure = found["map"], go.Figure()
    classes = sorted(set(one["labels"]))
    rates = [row["rate"] for row in found["rates"]]
    for (k, rate), (c, label) in product(enumerate(rates), enumerate(classes)):
        mine = [i for i, other in enumerate(one["labels"]) if other == label]
        figure.add_scatter(
            x=[one["points"][k][i][0] for i in mine],
            y=[one["points"][k][i][1] for i in mine],
            customdata=[plain(one["subjects"][i]) for i in mine],
            mode="markers",
            name=shortened(label),
            marker={
                "color": colour_of(c),
                "symbol": SYMBOLS[c // len(PALETTE) % len(SYMBOLS)],
                "size": 6,
                "opacity": 0.75,
            },
            hovertemplate=f"{plain(label)}, subject %{{customdata}}<extra></extra>",
            meta={"choice": _title(rate)},
            visible=k == 0,
        )
    spans = [_span([p[axis] for points in one["points"] for p in points]) for axis in (0, 1)]
    figure.update_xaxes(title_text="First axis", range=spans[0])
    figure.update_yaxes(title_text="Second axis", range=spans[1])
    # As many lines of names as a telephone needs.
    return styled(figure, 460 + 11 * len(classes), legend_traceorder="normal")


def _span(values: list[float]) -> list[float]:
    """Of all pictures, so that they can be compared."""
    room = 0.05 * (max(values) - min(values)) or 1.0
    return [min(values) - room, max(values) + room]


def _title(rate: float) -> str:
    return f"{percent(rate)} of the sensors missing" if rate else "everything present"


def _scores(found: Tree) -> Table:
    rows = []
    for row in found["rates"]:
        cells = []
        for key, _ in SCORES:
            spread = row[f"{key}_deviation"]
            cells.append(number(row[key]) + ("" if spread is None else f" ± {number(spread)}"))
        rows.append([_title(row["rate"]), *cells])
    count, k = len(found["models"]), found["neighbours"]
    over = f", mean ± deviation over {count} models" if count > 1 else ""
    title = f"Silhouette of the classes, and the {k} nearest windows with everything present{over}"
    return Table(title, ["", *(name for _, name in SCORES)], rows)
