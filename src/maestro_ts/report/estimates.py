"""Figure: estimated against true numbers, with everything present."""

from __future__ import annotations

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import BLUE, MUTED, styled
from maestro_ts.report.wording import plain

__all__ = ["ESTIMATES_CAPTION", "estimates_alt", "estimates_figure"]

ESTIMATES_CAPTION = (
    "Each dot is one test window with everything present. On the line the estimate is true; above "
    "it too much was estimated, below it too little."
)


def estimates_figure(results: Results) -> go.Figure | None:
    """One dot per window, and the line on which both agree."""
    numbers = results.numbers
    if not numbers or not numbers["truth"]:
        return None
    title = plain(f"{numbers['name']} ({numbers['unit']})")
    ends = [min(numbers["truth"]), max(numbers["truth"])]
    figure = go.Figure()
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": MUTED, "dash": "dot"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=numbers["truth"],
        y=numbers["estimates"],
        mode="markers",
        marker={"color": BLUE, "size": 5, "opacity": 0.45},
        customdata=[plain(s) for s in numbers["subjects"]],
        hovertemplate="subject %{customdata}: true %{x:.4g}, estimated %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(title_text=f"True {title}")
    figure.update_yaxes(title_text=f"Estimated {title}")
    return styled(figure, 460, showlegend=False, hovermode="closest")


def estimates_alt(results: Results) -> str:
    """What it shows."""
    numbers = results.numbers
    if not numbers or not numbers["truth"]:
        return ""
    spans = [
        f"{what} from {min(values):.4g} to {max(values):.4g}"
        for what, values in (("true", numbers["truth"]), ("estimated", numbers["estimates"]))
    ]
    return (
        f"Scatter chart of {len(numbers['truth'])} windows, {numbers['name']} in "
        f"{numbers['unit']}: {', '.join(spans)}."
    )
