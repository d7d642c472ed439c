"""Figure: how losses and validation macro-F1 moved in training, one thin line per fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import BLUE, GREEN, INK, ORANGE, styled

__all__ = ["learning_alt", "learning_caption", "learning_figure"]

SERIES = {
    "loss": ("training loss", BLUE),
    "validation_loss": ("validation loss", ORANGE),
    "validation_f1": ("validation macro-F1", GREEN),
    "validation_mae": ("validation mean absolute error", GREEN),
}
SCORES = {"validation_f1": "Macro-F1", "validation_mae": "Mean absolute error"}
Log = Sequence[Mapping[str, Any]]


def learning_figure(results: Results) -> go.Figure | None:
    """Losses above, the validation's score below (where there was a validation)."""
    runs = _runs(results)
    if not runs:
        return None
    below = [name for name in SCORES if any(_points(log, name) for _, log in runs)]
    scored = bool(below)
    figure = make_subplots(
        rows=2 if scored else 1, cols=1, shared_xaxes=True, vertical_spacing=0.06
    )
    for i, (fold, log) in enumerate(runs):
        for name in SERIES:
            _add_line(figure, name, fold, log, first=i == 0, many=len(runs) > 1)
        _add_best(figure, fold, log, first=i == 0)
    figure.update_yaxes(title_text="Loss", rangemode="tozero", row=1, col=1)
    if scored:
        figure.update_yaxes(title_text=SCORES[below[0]], row=2, col=1)
    last = max(row["epoch"] for _, log in runs for row in log)
    # Whole epochs alone: plotly would put ticks between the first few.
    figure.update_xaxes(range=[0.5, last + 0.5], dtick=1 if last <= 10 else None)
    figure.update_xaxes(title_text="Epoch", row=2 if scored else 1, col=1)
    return styled(figure, 470 if scored else 300)


def learning_caption(results: Results) -> str:
    """How to read it."""
    many = len(_runs(results)) > 1
    return (
        ("One thin line per fold. " if many else "")
        + "The ring marks the epoch whose weights were kept; a validation loss that rises while "
        "the training loss falls is overfitting."
    )


def learning_alt(results: Results) -> str:
    """What it shows."""
    best = [_best(log) for _, log in _runs(results)]
    epochs = ", ".join(str(row["epoch"]) for row in best if row)
    return f"Line chart of the losses and the validation score by epoch; best epoch: {epochs}."


def _runs(results: Results) -> list[tuple[str, Log]]:
    return [(str(run["fold"]), run["log"]) for run in results.training if run.get("log")]


def _points(log: Log, name: str) -> list[tuple[int, float]]:
    return [(row["epoch"], row[name]) for row in log if row.get(name) is not None]


def _best(log: Log) -> Mapping[str, Any] | None:
    """The last row that was the best so far: its weights were kept."""
    return next((row for row in reversed(log) if row.get("best")), None)


def _add_line(
    figure: go.Figure, name: str, fold: str, log: Log, *, first: bool, many: bool
) -> None:
    points = _points(log, name)
    if not points:
        return
    label, colour = SERIES[name]
    figure.add_scatter(
        x=[epoch for epoch, _ in points],
        y=[value for _, value in points],
        mode="lines" if len(points) > 1 else "markers",
        name=label,
        legendgroup=name,
        showlegend=first,
        line={"color": colour, "width": 1.2 if many else 2},
        meta={"fold": fold, "series": name},
        hovertemplate=f"epoch %{{x}}: {label} %{{y:.4f}} (fold %{{meta.fold}})<extra></extra>",
        row=2 if name in SCORES else 1,
        col=1,
    )


def _add_best(figure: go.Figure, fold: str, log: Log, *, first: bool) -> None:
    best = _best(log)
    if best is None:
        return
    name = next(n for n in (*SCORES, "validation_loss", "loss") if best.get(n) is not None)
    figure.add_scatter(
        x=[best["epoch"]],
        y=[best[name]],
        mode="markers",
        name="best epoch",
        legendgroup="best",
        showlegend=first,
        marker={"symbol": "circle-open", "size": 11, "color": INK, "line": {"width": 2}},
        meta={"fold": fold, "series": "best"},
        hovertemplate="best: epoch %{x} (fold %{meta.fold})<extra></extra>",
        row=2 if name in SCORES else 1,
        col=1,
    )
