"""The small tables that commands print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_ts.evaluation.results import Results

__all__ = ["format_table", "results_table"]

CLASS_COLUMNS = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
NUMBER_COLUMNS = {"mae": "MAE", "rmse": "RMSE", "r2": "R²"}
RANKING = {"auroc": "AUROC", "auprc": "AUPRC"}  # of a task with a positive class


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell."""
    table = [list(header), *[list(r) for r in rows]]
    widths = [max(len(r[c]) for r in table) for c in range(len(header))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in table]
    return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *[x.rstrip() for x in lines[1:]]])


def results_table(results: Results) -> str:
    """The scores under every kind of absence tested."""
    rows = []
    columns = NUMBER_COLUMNS if results.numbers else CLASS_COLUMNS
    main = "mae" if results.numbers else "macro_f1"
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
        low, high = s[f"{main}_interval"]
        rows.append(
            [
                label,
                f"{s['realised']:.0%}",
                *(_or_dash(s[key]) for key in columns),
                f"{low:.2f}–{high:.2f}",
                *(_or_dash(s[key]) for key in RANKING if key in s),
            ]
        )
    ranked = [RANKING[key] for key in RANKING if any(key in s for s in results.scores)]
    spans = "95 % by subject" if not results.numbers else "95 % of MAE by subject"
    table = format_table(["test windows with", "realised", *columns.values(), spans, *ranked], rows)
    if not results.numbers:
        return table
    known = results.numbers
    return (
        f"{table}\n\n{known['name']} in {known['unit']}; the median of the training numbers has a "
        f"MAE of {known['median_mae']:.3f}"
    )


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
