"""Predictions of windows and timelines, drawn at random or written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from maestro_ts.evaluation.timeline import Timeline, WindowPredictions

CLASSES = ("rest", "walk", "fall")


def predictions(windows: Sequence[dict[str, Any]]) -> WindowPredictions:
    """Windows as dicts with source, start, end, p, known."""
    return WindowPredictions(
        sources=np.array([w["source"] for w in windows], dtype=np.str_),
        subjects=np.array([f"of {w['source']}" for w in windows], dtype=np.str_),
        start_s=np.array([w["start"] for w in windows], dtype=float),
        duration_s=np.array([w["end"] - w["start"] for w in windows], dtype=float),
        probabilities=np.array([w["p"] for w in windows], dtype=float).reshape(-1, len(CLASSES)),
        known=np.array([w["known"] for w in windows], dtype=bool),
        classes=CLASSES,
    )


@st.composite
def window(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(0, 40)) / 4
    weights = [draw(st.integers(0, 9)) + 1e-3 for _ in CLASSES]
    return {
        "source": draw(st.sampled_from(["a", "b"])),
        "start": start,
        "end": start + draw(st.integers(1, 20)) / 4,
        "p": [w / sum(weights) for w in weights],
        "known": draw(st.sampled_from([True, True, True, False])),
    }


def by_the_second(steps: Sequence[float | None], source: str = "a") -> Timeline:
    """A timeline of one class, ``fall``, from its probability in every second; None: unknown."""
    n = len(steps)
    start = np.arange(n, dtype=float)
    fall = np.array([np.nan if p is None else p for p in steps], dtype=float)
    return Timeline(
        sources=np.full(n, source),
        subjects=np.full(n, "s1"),
        start_s=start,
        end_s=start + 1,
        probabilities=fall[:, None],
        windows=np.array([p is not None for p in steps], dtype=np.int64),
        classes=("fall",),
    )
