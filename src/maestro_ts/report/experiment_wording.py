"""Words and numbers of an experiment's tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_ts.report.wording import condition_label, percent

__all__ = ["METRIC_NAMES", "MODE_TITLES", "by_mode", "column_label", "gap", "number"]

METRIC_NAMES = {
    "macro_f1": "Macro-F1",
    "accuracy": "Accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "log_loss": "Log loss",
}
MODE_TITLES = {
    "modality": "whole sensors missing",
    "segment": "one stretch of every signal missing",
    "pattern": "only some sensors there",
}

Tree = Mapping[str, Any]


def number(value: float | None, digits: int = 3) -> str:
    """``.925``; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def gap(values: Sequence[float | None]) -> str:
    """A difference with its interval: ``+.016 [−.019, +.083]``."""
    point, low, high = (None if v is None else _signed(v) for v in values)
    return f"{point} [{low}, {high}]" if low is not None else f"{point}"


def _signed(value: float) -> str:
    text = number(abs(value))
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def by_mode(entrant: Tree) -> dict[str, list[Tree]]:
    """Rows of each mode by rising rate; complete input begins each."""
    rows = entrant["conditions"]
    found: dict[str, list[Tree]] = {}
    for mode in ("modality", "segment"):
        same = [r for r in rows if r["mode"] == mode and r["rate"] > 0]
        if same:
            found[mode] = [rows[0], *same]
    return found or {"modality": [rows[0]]}


def column_label(row: Tree, modalities: int) -> str:
    """``40 %`` for a rate, the sensors that are left for a pattern."""
    if row["mode"] == "pattern":
        return condition_label(row, modalities)
    return percent(row["rate"]) if row["rate"] else "0"
