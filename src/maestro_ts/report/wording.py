"""Words and numbers as the page says them."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_ts.evaluation.results import Results
from maestro_ts.report.fault_wording import FAULTS, fault_label

__all__ = [
    "LABEL_WIDTH",
    "METRICS",
    "Metric",
    "axis_of",
    "condition_label",
    "everything_present",
    "interval",
    "label_height",
    "metrics_of",
    "mode_label",
    "names",
    "pattern_label",
    "percent",
    "plain",
    "scored",
    "shortened",
    "wrapped",
]

METRICS = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}
NUMBER_METRICS = {"mae": "Mean absolute error", "rmse": "Root mean squared error", "r2": "R²"}


@dataclass(frozen=True)
class Metric:
    """A score as the page names it.

    Attributes
    ----------
    key : str
        In a row of the results.
    label : str
        With its unit, if it has one.
    main : bool
        Shown first, and what rows are ordered by.
    sign : int
        1 if larger is better, -1 if smaller is.
    """

    key: str
    label: str
    main: bool
    sign: int

    @property
    def within(self) -> str:
        """Its name within a sentence."""
        return self.label if self.label.isupper() else self.label[0].lower() + self.label[1:]


def metrics_of(results: Results) -> list[Metric]:
    """The scores that results have, the main one first."""
    if not results.numbers:
        return [Metric(k, v, k == "macro_f1", 1) for k, v in METRICS.items()]
    unit = results.numbers["unit"]
    return [
        Metric(k, v if k == "r2" else f"{v} ({unit})", k == "mae", 1 if k == "r2" else -1)
        for k, v in NUMBER_METRICS.items()
    ]


def axis_of(results: Results) -> dict[str, Any]:
    """Range of an axis of scores: shares of one whole, or errors from 0 on."""
    return {"rangemode": "tozero"} if results.numbers else {"range": [0, 1.02]}


LABEL_WIDTH = 20  # characters a line, beside a figure

MODES = {
    "modality": "whole sensors missing",
    "device": "whole devices missing",
    "segment": "a stretch of time missing",
    "points": "single samples missing",
}


def plain(text: object) -> str:
    """Text that a figure shows as it is: plotly reads a small HTML of its own in all labels."""
    return html.escape(str(text), quote=False)


def wrapped(text: object, width: int = 18, lines: int = 4) -> str:
    """A label in a few short lines, cut where it is longer."""
    parts = textwrap.wrap(str(text), width, max_lines=lines, placeholder=" …")
    return "<br>".join(map(plain, parts)) or " "


def label_height(labels: Sequence[str]) -> int:
    """Pixels a row needs so that its wrapped label does not touch the next."""
    lines = max((wrapped(label, LABEL_WIDTH).count("<br>") + 1 for label in labels), default=1)
    return max(28, 16 * lines + 8)


def shortened(text: object, width: int = 22) -> str:
    """A label in one line, cut where it is too long."""
    text = str(text)
    return plain(text if len(text) <= width else text[: width - 1].rstrip() + "…")


def percent(share: float) -> str:
    """A share as ``40 %``, with a decimal only where it says something."""
    value = round(100 * share, 1)
    return f"{value:.0f} %" if value == int(value) else f"{value:.1f} %"


def scored(value: float | None) -> str:
    """A metric with three decimals."""
    return "–" if value is None else f"{value:.3f}"


def interval(bounds: Sequence[float] | None) -> str:
    """An interval as ``0.812–0.874``; empty if there is none."""
    return f"{bounds[0]:.3f}–{bounds[1]:.3f}" if bounds else ""


def names(results: Results) -> list[str]:
    """Names of the modalities in the schema's order."""
    return [str(m["name"]) for m in results.modalities]


def mode_label(mode: str) -> str:
    """What is missing, in words."""
    return MODES.get(mode, mode)


def pattern_label(kept: Sequence[str], modalities: int) -> str:
    """The sensors that are left."""
    return "everything present" if len(kept) == modalities else "only " + " + ".join(kept)


def condition_label(row: Mapping[str, Any], modalities: int) -> str:
    """What was hidden in a row of the scores or confusions."""
    if row["mode"] == "pattern":
        return pattern_label(row["pattern"], modalities)
    if row["mode"] in FAULTS:
        return fault_label(row)
    if not row["rate"]:
        return "everything present"
    return f"{percent(row['rate'])}: {mode_label(row['mode'])}"


def everything_present(results: Results) -> dict[str, Any] | None:
    """The row of the scores in which nothing was hidden."""
    m = len(results.modalities)
    for row in results.scores:
        if condition_label(row, m) == "everything present":
            return row
    return None
