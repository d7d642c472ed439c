"""The weight with which the query of each rank attends, by the model's own function."""

from __future__ import annotations

import torch
from svg import box, line, picture, text

from maestro_ts.model.budget import rank_weights

__all__ = ["draw"]

BUDGETS = ((10.7, "blue"), (6.0, "green"), (2.4, "orange"))
RANKS = 14
WIDTH, LEFT, TOP, ROW, GAP, CELL = 720, 170, 46, 46, 22, 38


def draw() -> str:
    """The picture."""
    ranks = torch.arange(RANKS, dtype=torch.float64)
    parts = [text(LEFT, 20, "queries of one sensor, the one that stands out most first", "muted")]
    for row, (queries, look) in enumerate(BUDGETS):
        base = TOP + row * (ROW + GAP) + ROW
        parts.append(text(LEFT - 14, base - ROW / 2 + 5, f"v = {queries:g} queries", f"end {look}"))
        parts.append(line(LEFT, base, LEFT + RANKS * CELL, base, "thin"))
        weights = rank_weights(torch.tensor([[queries]], dtype=torch.float64), ranks, 0.0, 1.0)
        for rank, weight in enumerate(weights[0].tolist()):
            x = LEFT + rank * CELL
            parts.append(box(x + 2, base - ROW, CELL - 4, ROW, "gone", 0.45))
            if weight > 0:
                parts.append(box(x + 2, base - ROW * weight, CELL - 4, ROW * weight, look))
            if 0 < weight < 1:
                parts.append(text(x + CELL / 2, base - ROW - 4, f"{weight:.1f}", "small middle"))
    below = TOP + len(BUDGETS) * (ROW + GAP) + 4
    parts.append(
        text(LEFT, below, "coloured: attends with this weight; grey: takes the mean of the values")
    )
    title = "Weights of ranked queries under three budgets; the last one in attends in part"
    return picture(WIDTH, below + 14, title, parts)
