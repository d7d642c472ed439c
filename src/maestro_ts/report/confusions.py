"""Figure: which class is taken for which, with everything present and with sensors missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import HEAT_SCALE, INK, styled
from maestro_ts.report.wording import condition_label, percent, plain, wrapped

__all__ = ["CONFUSIONS_CAPTION", "confusions_alt", "confusions_figure", "row_shares"]

CONFUSIONS_CAPTION = (
    "Each row holds the windows of one true class, in percent; the diagonal is what was "
    "recognised, everything beside it was taken for another class."
)
WRITTEN_UP_TO = 12  # classes; beyond, numbers do not fit the cells


def row_shares(table: Sequence[Sequence[int]]) -> list[list[float | None]]:
    """Share of each row's windows; None in the row of a class without windows."""
    shares: list[list[float | None]] = []
    for row in table:
        total = sum(row)
        shares.append([count / total if total else None for count in row])
    return shares


def confusions_figure(results: Results) -> go.Figure | None:
    """One heatmap per condition; the reader sees one at a time."""
    if not results.confusions:
        return None
    k = len(results.classes)
    figure = go.Figure()
    for i, (label, entry) in enumerate(zip(_labels(results), results.confusions, strict=True)):
        _add_heatmap(figure, entry["table"], results.classes, label, visible=i == 0)
    ticks = {
        "tickvals": list(range(k)),
        "ticktext": [wrapped(c, 14, 3) for c in results.classes],
        "showgrid": False,
    }
    figure.update_xaxes(
        title_text="Predicted class", autotickangles=[0, -90], title_standoff=10, **ticks
    )
    figure.update_yaxes(title_text="True class", range=[k - 0.5, -0.5], **ticks)
    return styled(figure, max(280, min(44 * k, 640) + 110), showlegend=False)


def confusions_alt(results: Results) -> str:
    """What it shows."""
    said = []
    for label, entry in zip(_labels(results), results.confusions, strict=True):
        table = entry["table"]
        total = sum(map(sum, table))
        right = sum(table[i][i] for i in range(len(table)))
        said.append(f"{label}: {percent(right / total) if total else 'none'} on the diagonal")
    return f"Confusion matrices of {len(results.classes)} classes; {'; '.join(said)}."


def _labels(results: Results) -> list[str]:
    """One distinct name per matrix: two choices of one name could not be told apart."""
    labels: list[str] = []
    for entry in results.confusions:
        label = condition_label(entry, len(results.modalities))
        label = label[0].upper() + label[1:]
        same = sum(known == label or known.startswith(f"{label} (") for known in labels)
        labels.append(f"{label} ({same + 1})" if same else label)
    return labels


def _add_heatmap(
    figure: go.Figure,
    table: Sequence[Sequence[int]],
    classes: list[str],
    label: str,
    *,
    visible: bool,
) -> None:
    shares = row_shares(table)
    k = len(classes)
    custom: list[list[list[Any]]] = [
        [[table[i][j], sum(table[i]), plain(classes[i]), plain(classes[j])] for j in range(k)]
        for i in range(k)
    ]
    written: dict[str, Any] = {}
    if k <= WRITTEN_UP_TO:
        cells = [[f"{100 * s:.0f}" if s else "" for s in row] for row in shares]
        written = {"text": cells, "texttemplate": "%{text}", "textfont": {"color": INK}}
    figure.add_heatmap(
        x=list(range(k)),
        y=list(range(k)),
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=HEAT_SCALE,
        xgap=1,
        ygap=1,
        customdata=custom,
        hovertemplate="true %{customdata[2]}, predicted %{customdata[3]}:<br>"
        "%{customdata[0]} of %{customdata[1]} windows (%{z:.1%})<extra></extra>",
        hoverongaps=False,
        showscale=k > WRITTEN_UP_TO,
        colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0, "len": 0.8},
        meta={"choice": label},
        visible=visible,
        **written,
    )
