"""Figures: what each sensor is worth, which class needs it, and what a budget buys."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.sensor_tables import (
    METRIC_NAMES,
    cost_label,
    front_rows,
    order_of,
    pair_rows,
    priced,
    set_name,
    signed,
    value_facts,
    worth_rows,
)
from maestro_ts.report.theme import (
    BLUE,
    HEAT_SCALE,
    INK,
    MUTED,
    VERMILLION,
    row_height,
    styled,
)
from maestro_ts.report.wording import (
    LABEL_WIDTH,
    label_height,
    plain,
    scored,
    shortened,
    wrapped,
)

__all__ = ["sensor_sections"]

WORTH_CAPTION = (
    "Bars are Shapley values: what a sensor adds to {metric}, averaged over all orders in which "
    "sensors can join; together they make up what everything adds to nothing. Diamonds are what "
    "is lost if it alone fails: little where others stand in for it. Whiskers are 95 % intervals "
    "by subject."
)
CLASSES_CAPTION = (
    "What the F1 of each class loses if this sensor alone fails, and the Shapley values of that "
    "F1. Gains are left empty."
)
FRONT_CAPTION = (
    "Each step is the best set that a budget buys, chosen on these same test windows: expect a "
    "little less elsewhere. The ring is the smallest set that keeps 95 % of what everything adds "
    "to nothing."
)
SHOWN_OPEN = 8  # rows; a longer table is folded


def sensor_sections(found: SensorFile | None) -> list[Section]:
    """A section for devices and one for modalities, as far as they were valued."""
    return [part for value in (found.values if found else []) for part in _section(value)]


def _section(value: dict[str, Any]) -> list[Section]:
    by, metric = value["by"], METRIC_NAMES[value["metric"]]
    tables = [
        Table(title, *rows, folded=len(rows[1]) > SHOWN_OPEN)
        for title, rows in (
            (f"Every {by}", worth_rows(value)),
            ("Pairs: above 0 they need, below 0 they replace each other", pair_rows(value)),
            ("The best set under each budget", front_rows(value)),
        )
        if rows[1]
    ]
    width = 150 + 44 * len(value["players"])
    return section(
        f"{by}-value",
        f"What each {by} is worth",
        [
            *block(
                f"{by}-worth", _worth(value), WORTH_CAPTION.format(metric=metric), _worth_alt(value)
            ),
            *block(f"{by}-classes", _classes(value), CLASSES_CAPTION, _classes_alt(value), width),
            *block(f"{by}-front", _front(value), FRONT_CAPTION, _front_alt(value)),
        ],
        value_facts(value),
        tables,
    )


def _worth(value: dict[str, Any]) -> go.Figure:
    order = order_of(value)
    names = [value["players"][i] for i in order]
    figure = go.Figure()
    figure.add_bar(
        x=[value["shapley"][i] for i in order],
        y=[place - 0.15 for place in range(len(order))],
        width=0.45,
        orientation="h",
        marker={"color": BLUE},
        name="Shapley value",
        error_x=_whiskers(value, "shapley", order),
        customdata=[plain(name) for name in names],
        hovertemplate="%{customdata}: Shapley value %{x:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=[value["loss"][i] for i in order],
        y=[place + 0.25 for place in range(len(order))],
        mode="markers",
        marker={"color": VERMILLION, "size": 9, "symbol": "diamond"},
        name="loss if it fails",
        error_x=_whiskers(value, "loss", order),
        customdata=[plain(name) for name in names],
        hovertemplate="without %{customdata}: %{x:.3f} lost<extra></extra>",
    )
    figure.update_xaxes(
        title_text=METRIC_NAMES[value["metric"]], zeroline=True, zerolinecolor=MUTED
    )
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[wrapped(name, LABEL_WIDTH) for name in names],
        range=[len(order) - 0.5, -0.6],
        showgrid=False,
    )
    return styled(figure, row_height(len(order), max(label_height(names), 40), 110))


def _whiskers(value: dict[str, Any], field: str, order: list[int]) -> dict[str, Any]:
    spans = value[f"{field}_interval"]
    if spans is None:
        return {"visible": False}
    at = value[field]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(spans[1][i] - at[i], 0.0) for i in order],
        "arrayminus": [max(at[i] - spans[0][i], 0.0) for i in order],
        "color": INK,
        "thickness": 1.2,
        "width": 3,
    }


def _worth_alt(value: dict[str, Any]) -> str:
    said = ", ".join(
        f"{value['players'][i]} {signed(value['shapley'][i])}, "
        f"{signed(value['loss'][i])} if it fails"
        for i in order_of(value)
    )
    return f"Bar chart of Shapley values on {METRIC_NAMES[value['metric']]}: {said}."


def _classes(value: dict[str, Any]) -> go.Figure:
    order = order_of(value)
    there = [k for k, n in enumerate(value["class_windows"]) if n]
    classes = [value["classes"][k] for k in there]
    figure = go.Figure()
    for field, label in (("class_loss", "If it fails"), ("class_shapley", "Shapley value")):
        z = [[value[field][i][k] for i in order] for k in there]
        figure.add_heatmap(
            x=list(range(len(order))),
            y=list(range(len(there))),
            z=z,
            zmin=0,
            zmax=max((v for row in z for v in row), default=0.0) or 1.0,
            colorscale=HEAT_SCALE,
            xgap=2,
            ygap=2,
            text=[[f"{v:.2f}" if v >= 0.005 else "" for v in row] for row in z],
            texttemplate="%{text}",
            textfont={"color": INK},
            customdata=[[[plain(value["players"][i]), plain(c)] for i in order] for c in classes],
            hovertemplate="%{customdata[0]}, F1 of %{customdata[1]}: %{z:.3f}<extra></extra>",
            showscale=False,
            meta={"choice": label},
            visible=field == "class_loss",
        )
    figure.update_xaxes(
        tickvals=list(range(len(order))),
        ticktext=[shortened(value["players"][i]) for i in order],
        side="top",
        showgrid=False,
        tickangle=-90,
    )
    figure.update_yaxes(
        tickvals=list(range(len(there))),
        ticktext=[wrapped(c, LABEL_WIDTH) for c in classes],
        range=[len(there) - 0.5, -0.5],
        showgrid=False,
    )
    return styled(figure, row_height(len(there), label_height(classes), 130))


def _classes_alt(value: dict[str, Any]) -> str:
    said = []
    for i in order_of(value):
        lost = value["class_loss"][i]
        worst = max(range(len(lost)), key=lambda k: lost[k])
        said.append(
            f"without {value['players'][i]} {value['classes'][worst]} changes most, "
            f"by {signed(-lost[worst])}"
        )
    return f"Heatmap of the F1 that each class loses: {'; '.join(said)}."


def _front(value: dict[str, Any]) -> go.Figure:
    # Nothing is far below everything else: with it, the steps could not be told apart.
    front = [one for one in value["front"] if one["players"]] or value["front"]
    smallest = value["smallest"]
    figure = go.Figure()
    figure.add_scatter(
        x=[one["cost"] for one in front],
        y=[one["score"] for one in front],
        mode="lines+markers",
        line={"color": BLUE, "width": 2, "shape": "hv"},
        marker={"size": 9},
        name="best set",
        customdata=[wrapped(set_name(value, one["players"]), 32) for one in front],
        hovertemplate="%{customdata}<br>%{y:.3f} for %{x}<extra></extra>",
    )
    figure.add_scatter(
        x=[smallest["cost"]],
        y=[smallest["score"]],
        mode="markers",
        marker={
            "size": 17,
            "symbol": "circle-open",
            "color": VERMILLION,
            "line": {"width": 2.5},
        },
        name="fewest that keep 95 %",
        customdata=[wrapped(set_name(value, smallest["players"]), 32)],
        hovertemplate="%{customdata}<br>%{y:.3f} for %{x}<extra></extra>",
    )
    figure.update_xaxes(title_text=cost_label(value), rangemode="tozero")
    if not priced(value) and len(value["players"]) < 16:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(title_text=METRIC_NAMES[value["metric"]].replace("macro", "Macro"))
    return styled(figure, 320)


def _front_alt(value: dict[str, Any]) -> str:
    said = "; ".join(
        f"{set_name(value, one['players'])} {scored(one['score'])} for {one['cost']:g}"
        for one in value["front"]
    )
    return f"Steps of the best set under each budget: {said}."
