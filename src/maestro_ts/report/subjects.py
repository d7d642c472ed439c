"""Figure and table: how well each subject is recognised, the worst one included."""

from __future__ import annotations

from statistics import median
from typing import Any

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.blocks import Table
from maestro_ts.report.theme import BLUE, GREEN, ORANGE, VERMILLION, row_height, styled
from maestro_ts.report.wording import Metric, axis_of, metrics_of, plain, scored, shortened

__all__ = [
    "SUBJECTS_CAPTION",
    "spread",
    "subject_rows",
    "subjects_alt",
    "subjects_facts",
    "subjects_figure",
    "subjects_table",
]

SUBJECTS_CAPTION = (
    "Each dot is one subject with everything present, the best on top. "
    "The vertical lines are the lowest, the median and the highest subject."
)
SHOWN_OPEN = 12  # rows; a longer table is folded
LINES = {"lowest": (VERMILLION, "dot"), "median": (GREEN, "solid"), "highest": (ORANGE, "dash")}


def subject_rows(results: Results) -> list[dict[str, Any]]:
    """The best first."""
    main = metrics_of(results)[0]
    return sorted(results.subjects, key=lambda row: -main.sign * float(row[main.key]))


def subject_metrics(results: Results) -> list[Metric]:
    """Scores that every subject has: one number has no R²."""
    known = metrics_of(results)
    return [m for m in known if all(row[m.key] is not None for row in results.subjects)]


def spread(results: Results, metric: str) -> dict[str, float]:
    """Lowest, median and highest value over the subjects."""
    values = [float(row[metric]) for row in results.subjects]
    return {"lowest": min(values), "median": float(median(values)), "highest": max(values)}


def subjects_figure(results: Results) -> go.Figure | None:
    """One dot per subject; lines at the lowest, median and highest."""
    rows = subject_rows(results)
    if not rows:
        return None
    figure = go.Figure()
    for metric in subject_metrics(results):
        for name, value in spread(results, metric.key).items():
            _add_rule(figure, metric, name, value, len(rows))
        _add_dots(figure, rows, metric)
    figure.update_xaxes(title_text=metrics_of(results)[0].label, **axis_of(results))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[shortened(row["subject"], 14) for row in rows],
        range=[len(rows) - 0.5, -0.5],
    )
    each = 24 if len(rows) <= 40 else 16
    return styled(figure, row_height(len(rows), each, 100), meta={"titled": "xaxis"})


def subjects_facts(results: Results) -> list[tuple[str, str]]:
    """The spread in numbers, and who is at its ends."""
    rows = subject_rows(results)
    if not rows:
        return []
    main = metrics_of(results)[0]
    low, high = (rows[-1], rows[0]) if main.sign > 0 else (rows[0], rows[-1])
    return [
        (f"Lowest {main.within}", f"{scored(low[main.key])} ({low['subject']})"),
        ("Median", scored(spread(results, main.key)["median"])),
        ("Highest", f"{scored(high[main.key])} ({high['subject']})"),
    ]


def subjects_alt(results: Results) -> str:
    """What it shows."""
    if not results.subjects:
        return ""
    main = metrics_of(results)[0]
    said = ", ".join(f"{k} {scored(v)}" for k, v in spread(results, main.key).items())
    return f"Dot chart of {main.within} of {len(results.subjects)} subjects: {said}."


def subjects_table(results: Results) -> list[Table]:
    """The same numbers in a table."""
    metrics = subject_metrics(results)
    rows = [
        [str(row["subject"]), f"{row['n']:,}", *(scored(row[m.key]) for m in metrics)]
        for row in subject_rows(results)
    ]
    if not rows:
        return []
    head = ["Subject", "Windows", *(m.label for m in metrics)]
    return [Table("All subjects", head, rows, folded=len(rows) > SHOWN_OPEN)]


def _common(metric: Metric) -> dict[str, Any]:
    return {"meta": {"choice": metric.label}, "visible": metric.main}


def _add_dots(figure: go.Figure, rows: list[dict[str, Any]], metric: Metric) -> None:
    figure.add_scatter(
        x=[row[metric.key] for row in rows],
        y=list(range(len(rows))),
        mode="markers",
        marker={"color": BLUE, "size": 9},
        name="subject",
        customdata=[[plain(row["subject"]), row["n"]] for row in rows],
        hovertemplate="subject %{customdata[0]}, %{customdata[1]} windows: "
        f"{metric.label} %{{x:.3f}}<extra></extra>",
        **_common(metric),
    )


def _add_rule(figure: go.Figure, metric: Metric, name: str, value: float, n: int) -> None:
    colour, dash = LINES[name]
    figure.add_scatter(
        x=[value, value],
        y=[-0.5, n - 0.5],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 1.5},
        name=f"{name} {scored(value)}",
        hoverinfo="skip",
        **_common(metric),
    )
