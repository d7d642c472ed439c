"""docs/leaderboard.md from the results of the missingness experiment that lie in docs/results.

    python benchmarks/leaderboard.py

Run it when results are added. Entrants whose cells are not all there are shown as what they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leaderboard_entries import Entry, entries_of, metric_of
from maestro_ts.atomic import write_text
from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_wording import METRIC_NAMES, number
from maestro_ts.report.table_text import markdown_table

__all__ = ["page"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results/missingness"
PAGE = ROOT / "docs/leaderboard.md"
INTRODUCTION = """\
# Leaderboard

Written by `python benchmarks/leaderboard.py` from the files in `docs/results/missingness`; do not
edit it. Each data set has its own table: the score with everything present, with 40 and 80 % of the
sensors missing, and the area under the curve from 0 to 80 % (the mean score), by which entrants are
ranked. Scores are pooled over the folds by subject and averaged over the seeds. Whoever lacks folds
is shown with what there is, in brackets and without a rank: other folds are other people, and such
scores are not comparable. Differences with intervals are in each set's `table.md`; entrants are
told of in [experiments](experiments.md#who-takes-part)."""


def page(results: Path) -> str:
    """The whole page."""
    folders = sorted(path.parent for path in results.glob("*/summary.json"))
    boards = {folder.name: entries_of(folder) for folder in folders}
    parts = [INTRODUCTION, "## Over the data sets", _across(boards)]
    for folder in folders:
        parts += _board(json.loads((folder / "summary.json").read_text()), boards[folder.name])
    return "\n\n".join(parts) + "\n"


def _board(summary: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[str]:
    """Heading, what it is about, and table of one data set."""
    data, folds, of = summary["dataset"], len(summary["folds"]), summary["folds_of"]
    rows = []
    for rank, entry in enumerate(entries.values(), start=1):
        told = [number(score) for score in (*entry.scores, entry.area)]
        if not entry.complete:
            told = [f"({score})" for score in told]
        rows.append([str(rank) if entry.complete else "–", entry.title, *told, _run(entry, of)])
    metric = METRIC_NAMES[metric_of(summary)]
    head = ["", metric, "complete", "40 %", "80 %", "area", "run"]
    lacking = "" if folds == of else f" Only {folds} of {of} folds have been run."
    about = (
        f"{data['title']}: {data['n_windows']:,} windows of {data['n_subjects']:,} subjects, "
        f"{len(data['modalities'])} modalities, {len(summary['classes'])} classes; "
        f"{summary['split']}.{lacking} [All tables](results/missingness/{data['name']}/table.md)."
    )
    return [f"## {data['name']}", about, markdown_table(Table("", head, rows, numeric=2))]


def _run(entry: Entry, of: int) -> str:
    """``5 folds × 1 seed``, or what of it is there."""
    folds, seeds = {f for f, _ in entry.cells}, {s for _, s in entry.cells}
    told = f"{len(folds)} of {of} folds" if len(folds) < of else _counted(of, "fold")
    told += f" × {_counted(len(seeds), 'seed')}"
    lacking = len(folds) * len(seeds) - len(entry.cells)
    return f"{told}, {lacking} cells lacking" if lacking else told


def _counted(n: int, one: str) -> str:
    return f"{n} {one}{'' if n == 1 else 's'}"


def _across(boards: Mapping[str, Mapping[str, Entry]]) -> str:
    """Everybody's rank on each data set, and the mean over those on which there is one."""
    rows = []
    for name, title in _titles(boards).items():
        ranks = [rank for board in boards.values() if (rank := _rank(name, board)) is not None]
        mean = float(np.mean(ranks)) if ranks else np.inf
        told = number(mean, 2) if ranks else "–"
        if len(ranks) < len(boards) and ranks:
            told = f"({told})"
        order = (len(boards) - len(ranks), mean)
        rows.append((order, [title, *(_told(name, board) for board in boards.values()), told]))
    rows.sort(key=lambda pair: pair[0])
    table = Table("", ["", *boards, "mean rank"], [row for _, row in rows])
    note = (
        "Ranks by the area. – is not run; who lacks folds has no rank. The mean is over the sets "
        "on which there is a rank, in brackets and below the others if not over all; fields differ "
        "from set to set."
    )
    other = _other_settings(boards)
    if other:
        note += f" Not with the same settings on every set: {', '.join(other)}."
    return f"{markdown_table(table)}\n\n{note}"


def _titles(boards: Mapping[str, Mapping[str, Entry]]) -> dict[str, str]:
    """Names and titles; an unfinished entrant has none but its name."""
    titles: dict[str, str] = {}
    for board in boards.values():
        for name, entry in board.items():
            if entry.complete or name not in titles:
                titles[name] = entry.title
    return titles


def _rank(name: str, board: Mapping[str, Entry]) -> int | None:
    ranked = [other for other, entry in board.items() if entry.complete]
    return ranked.index(name) + 1 if name in ranked else None


def _told(name: str, board: Mapping[str, Entry]) -> str:
    if name not in board:
        return "–"
    rank = _rank(name, board)
    if rank is None:
        return f"{_counted(len({f for f, _ in board[name].cells}), 'fold')}"
    return f"{rank} of {sum(entry.complete for entry in board.values())}"


def _other_settings(boards: Mapping[str, Mapping[str, Entry]]) -> list[str]:
    found = []
    for name in _titles(boards):
        each = [board[name].settings for board in boards.values() if name in board]
        if any(settings != each[0] for settings in each[1:]):
            found.append(name)
    return found


if __name__ == "__main__":
    write_text(PAGE, page(RESULTS))
    print(PAGE)
