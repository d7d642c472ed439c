"""docs/ablation.md: what each part is worth on every data set, from docs/results/ablation.

    python benchmarks/ablation.py

Run it when results are added. A part that was not run on a set is shown as a dash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.atomic import write_text
from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import gap, number
from maestro_ts.report.table_text import markdown_table

__all__ = ["page"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results/ablation"
PAGE = ROOT / "docs/ablation.md"
SHOWN = (0.0, 0.4, 0.8)
MODES = {"modality": "whole sensors missing", "segment": "a stretch of every signal missing"}
INTRODUCTION = """\
# What each part is worth

Written by `python benchmarks/ablation.py` from the files in `docs/results/ablation`; do not edit
it. Each row is the recipe with one part left out or replaced, fitted and tested on the same
windows, masks and seed (`maestro-ts experiment ablation --dataset NAME`). A number is the recipe's
area under the curve of macro-F1 from 0 to 80 % missing (the mean score) minus the row's: what the
part is worth. Below .02 it is noise. What follows from it is said in
[results](results.md#what-each-part-is-worth)."""

Summary = Mapping[str, Any]


def page(results: Path) -> str:
    """The whole page."""
    sets = {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(results.glob("*/summary.json"))
    }
    parts = [INTRODUCTION]
    for mode, title in MODES.items():
        parts += [f"## Worth, {title}", _worth(sets, mode)]
    for name, summary in sets.items():
        parts += [f"## {name}", _about(summary), _scores(summary)]
    return "\n\n".join(parts) + "\n"


def _worth(sets: Mapping[str, Summary], mode: str) -> str:
    """Every part's worth on every set, the dearest first."""
    titles: dict[str, str] = {}
    for summary in sets.values():
        titles |= {e["name"]: e["title"] for e in summary["entrants"][1:]}
    rows = []
    for name, title in titles.items():
        each = [_difference(summary, name, mode) for summary in sets.values()]
        known = [d for d in each if d is not None]
        told = ["–" if d is None else _signed(d) for d in each]
        mean = float(np.mean(known))
        rows.append((mean, [title, *told, _signed(mean)]))
    rows.sort(key=lambda pair: -pair[0])
    return markdown_table(Table("", ["", *sets, "mean"], [row for _, row in rows]))


def _difference(summary: Summary, name: str, mode: str) -> float | None:
    for row in summary["differences"]:
        if row["b"] == name and row["a"] == summary["entrants"][0]["name"]:
            return float(row["areas"][mode]["macro_f1"][0])
    return None


def _signed(value: float) -> str:
    return gap((value, None, None))


def _about(summary: Summary) -> str:
    data, folds = summary["dataset"], summary["folds"]
    some = f"fold {folds[0]} alone" if len(folds) == 1 else f"{len(folds)} folds"
    return (
        f"{data['title']}: {some} of {summary['folds_of']} by subject, {summary['n']} test "
        f"windows, {len(summary['classes'])} classes, seed{'s' * (len(summary['seeds']) > 1)} "
        f"{', '.join(map(str, summary['seeds']))}. With intervals and by subject: "
        f"[table.md](results/ablation/{data['name']}/table.md)."
    )


def _scores(summary: Summary) -> str:
    rows = []
    for e in summary["entrants"]:
        scores = [_at(e, "modality", rate) for rate in SHOWN] + [_at(e, "segment", SHOWN[1])]
        areas = [e["areas"][mode]["macro_f1"] for mode in MODES]
        rows.append([e["title"], *map(number, (*scores, *areas))])
    head = ["macro-F1", "complete", "40 %", "80 %", "segment 40 %", "area", "area, segments"]
    return markdown_table(Table("", head, rows))


def _at(entrant: Mapping[str, Any], mode: str, rate: float) -> float:
    rows = entrant["conditions"]
    return next(float(r["macro_f1"]) for r in rows if (r["mode"], r["rate"]) == (mode, rate))


if __name__ == "__main__":
    write_text(PAGE, page(RESULTS))
    print(PAGE)
