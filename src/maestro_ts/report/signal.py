"""Figure: a signal and the symbols it becomes, missing ones visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import BLUE, INK, MUTED, VERMILLION, VOID, row_height, styled
from maestro_ts.report.wording import plain, wrapped

__all__ = ["example_figure", "missing_runs", "signal_alt", "signal_caption", "signal_figure"]

MISSING = 0
MARKED_UP_TO = 80  # samples; a longer signal is a line alone
ROOMY_FROM = 12  # cells; more leave no room for numbers on a telephone


def signal_figure(results: Results) -> go.Figure | None:
    """`example_figure` of the example that results have."""
    example = results.example
    return example_figure(example) if example and example.get("views") else None


def example_figure(example: Mapping[str, Any]) -> go.Figure:
    """The signal with the means of its bins above, one row of cells per view below."""
    views = list(example["views"].items())
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.62, 0.38]
    )
    _add_signal(figure, example)
    _add_means(figure, example)
    _add_symbols(figure, example, [symbols for _, symbols in views])
    for y, (_, symbols) in enumerate(views):
        _add_missing(figure, example["edges_s"], symbols, y)
    _shade(figure, example, views[0][1])
    figure.update_yaxes(title_text=wrapped(_quantity(example), 24), row=1, col=1)
    figure.update_yaxes(
        tickvals=list(range(len(views))),
        ticktext=[wrapped(name, 10) for name, _ in views],
        range=[len(views) - 0.5, -0.5],
        showgrid=False,
        row=2,
        col=1,
    )
    edges = example["edges_s"]
    figure.update_xaxes(range=[edges[0], edges[-1]], showgrid=False)
    figure.update_xaxes(title_text="Time (s)", row=2, col=1)
    return styled(
        figure, row_height(len(views), 40, 330), showlegend=False, barmode="overlay", bargap=0
    )


def signal_caption(results: Results) -> str:
    """How to read it."""
    example = results.example
    if not example:
        return ""
    return (
        f"One window of {example['modality']}, channel {example['channel']}, class "
        f"“{example['label']}”, part of which was hidden. Steps are the means of the bins. "
        f"Each cell is the symbol of one stretch "
        f"(1 lowest, {example['alphabet']} highest); hatched cells marked s₀ are missing."
    )


def signal_alt(results: Results) -> str:
    """What it shows."""
    views = results.example.get("views", {}) if results.example else {}
    said = [
        f"{name}: {sum(s == MISSING for s in symbols)} of {len(symbols)} symbols missing"
        for name, symbols in views.items()
    ]
    return f"A signal over time with its symbols; {'; '.join(said)}."


def missing_runs(symbols: Sequence[int]) -> list[tuple[int, int]]:
    """First and one-past-last index of every run of missing symbols."""
    runs: list[tuple[int, int]] = []
    for i, symbol in enumerate(symbols):
        if symbol != MISSING:
            continue
        if runs and runs[-1][1] == i:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs


def _quantity(example: Mapping[str, Any]) -> str:
    unit = f" ({example['unit']})" if example.get("unit") else ""
    return f"{example['modality']}{unit}"


def _add_signal(figure: go.Figure, example: Mapping[str, Any]) -> None:
    few = len(example["times_s"]) <= MARKED_UP_TO
    figure.add_scatter(
        x=example["times_s"],
        y=example["values"],
        mode="lines+markers" if few else "lines",
        line={"color": BLUE, "width": 1.5},
        marker={"size": 4},
        # A gap stays a gap: a line across it would invent the signal.
        connectgaps=False,
        name=plain(example["modality"]),
        hovertemplate="%{x:.2f} s: %{y:.4g}<extra></extra>",
        row=1,
        col=1,
    )


def _add_means(figure: go.Figure, example: Mapping[str, Any]) -> None:
    means = example.get("means")  # results of earlier versions have none
    if not means:
        return
    edges = example["edges_s"]
    figure.add_scatter(
        x=[edge for pair in pairwise(edges) for edge in pair],
        y=[mean for mean in means for _ in range(2)],
        mode="lines",
        line={"color": VERMILLION, "width": 1.5},
        connectgaps=False,
        name="mean of the bin",
        hovertemplate="mean of the bin: %{y:.4g}<extra></extra>",
        row=1,
        col=1,
    )


def _add_symbols(figure: go.Figure, example: Mapping[str, Any], views: list[list[int]]) -> None:
    edges = example["edges_s"]
    spans = [f"{a:.2f}–{b:.2f} s" for a, b in pairwise(edges)]
    figure.add_heatmap(
        x=edges,
        y=[i - 0.5 for i in range(len(views) + 1)],
        z=[[None if s == MISSING else s for s in symbols] for symbols in views],
        zmin=1,
        zmax=example["alphabet"],
        colorscale="Cividis",
        xgap=1,
        ygap=3,
        texttemplate="%{z}",
        customdata=[spans] * len(views),
        hovertemplate="%{customdata}: symbol %{z}<extra></extra>",
        hoverongaps=False,
        showscale=False,
        # The page leaves the numbers out where they would be too small to read.
        meta={"roomy": len(spans) > ROOMY_FROM},
        name="symbols",
        row=2,
        col=1,
    )


def _add_missing(figure: go.Figure, edges: list[float], symbols: list[int], y: int) -> None:
    gone = [i for i, s in enumerate(symbols) if s == MISSING]
    if not gone:
        return
    figure.add_bar(
        x=[(edges[i] + edges[i + 1]) / 2 for i in gone],
        y=[0.9] * len(gone),
        base=[y - 0.45] * len(gone),
        width=[edges[i + 1] - edges[i] for i in gone],
        marker={
            "color": VOID,
            "line": {"width": 0},
            "pattern": {
                "shape": "/",
                "fgcolor": MUTED,
                "bgcolor": VOID,
                "size": 8,
                "solidity": 0.12,
            },
        },
        name="missing",
        customdata=gone,
        hovertemplate="missing symbol s₀<extra></extra>",
        row=2,
        col=1,
    )
    runs = missing_runs(symbols)
    figure.add_scatter(
        x=[(edges[a] + edges[b]) / 2 for a, b in runs],
        y=[y] * len(runs),
        mode="text",
        text=["<b>s₀</b>"] * len(runs),
        textfont={"color": INK, "size": 13},
        name="s₀",
        hoverinfo="skip",
        row=2,
        col=1,
    )


def _shade(figure: go.Figure, example: Mapping[str, Any], symbols: list[int]) -> None:
    edges = example["edges_s"]
    for a, b in missing_runs(symbols):
        figure.add_vrect(
            x0=edges[a], x1=edges[b], fillcolor="rgba(127,127,127,0.14)", line_width=0, row=1, col=1
        )
