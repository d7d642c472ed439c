"""Figure: how many tokens a window of each modality becomes."""

from __future__ import annotations

import plotly.graph_objects as go

from maestro_ts.evaluation.results import Results
from maestro_ts.report.theme import GREEN, row_height, styled
from maestro_ts.report.wording import LABEL_WIDTH, label_height, wrapped

__all__ = ["TOKENS_CAPTION", "token_counts", "tokens_alt", "tokens_figure"]

TOKENS_CAPTION = "Tokens that one window of each modality becomes; longer bars cost more."


def token_counts(results: Results) -> list[tuple[str, int]]:
    """Modality and length, longest first."""
    tokens = results.cost.get("tokens") or {}
    return sorted(tokens.items(), key=lambda pair: (-pair[1], pair[0]))


def tokens_figure(results: Results) -> go.Figure | None:
    """One bar per modality."""
    counts = token_counts(results)
    if not counts:
        return None
    figure = go.Figure()
    figure.add_bar(
        x=[n for _, n in counts],
        y=list(range(len(counts))),
        orientation="h",
        marker={"color": GREEN},
        text=[str(n) for _, n in counts],
        textposition="auto",
        hovertemplate="%{x} tokens<extra></extra>",
    )
    figure.update_xaxes(title_text="Tokens per window", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(counts))),
        ticktext=[wrapped(name, LABEL_WIDTH) for name, _ in counts],
        range=[len(counts) - 0.5, -0.5],
        showgrid=False,
    )
    return styled(
        figure,
        row_height(len(counts), label_height([name for name, _ in counts]), 70),
        showlegend=False,
        bargap=0.3,
    )


def tokens_alt(results: Results) -> str:
    """What it shows."""
    said = ", ".join(f"{name} {n}" for name, n in token_counts(results))
    return f"Bar chart of tokens per window: {said}."
