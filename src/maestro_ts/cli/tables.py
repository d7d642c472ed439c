"""The small tables that commands print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_ts.evaluation.results import Results

__all__ = ["format_table", "results_table"]

RANKING = {"auroc": "AUROC", "auprc": "AUPRC"}  # of a task with a positive class


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell."""
    table = [list(header), *[list(r) for r in rows]]
    widths = [max(len(r[c]) for r in table) for c in range(len(header))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in table]
    return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *[x.rstrip() for x in lines[1:]]])


def results_table(results: Results) -> str:
    """Accuracy and macro-F1 under every kind of absence tested."""
    rows = []
    few = any(s["mode"] == "pattern" for s in results.scores)
    names = {m["name"] for m in results.modalities}
    for s in results.scores:
        if s["mode"] == "pattern":
            kept = set(s["pattern"])
            label = "all sensors" if kept == names else "only " + " + ".join(sorted(kept))
        elif s["mode"] == "modality":
            label = f"{s['rate']:.0%} of the sensors missing"
        elif s["rate"] == 0.0 and (few or any(r["mode"] == "modality" for r in results.scores)):
            continue
        else:
            unit = {
                "segment": "of each signal missing in one segment",
                "points": "of the samples",
                "device": "of the devices missing",
            }[s["mode"]]
            label = f"{s['rate']:.0%} {unit}"
        low, high = s["macro_f1_interval"]
        rows.append(
            [
                label,
                f"{s['realised']:.0%}",
                f"{s['accuracy']:.3f}",
                f"{s['macro_f1']:.3f}",
                f"{low:.2f}–{high:.2f}",
                *(_or_dash(s[key]) for key in RANKING if key in s),
            ]
        )
    ranked = [RANKING[key] for key in RANKING if any(key in s for s in results.scores)]
    header = ["test windows with", "realised", "accuracy", "macro-F1", "95 % by subject", *ranked]
    return format_table(header, rows)


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
