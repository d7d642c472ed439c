"""What the results of the missingness experiment say of each entrant, finished or not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.evaluation.statistics import area_weights
from maestro_ts.experiments.cell_file import FinishedCell, read_cell
from maestro_ts.experiments.entrants import ENTRANTS

__all__ = ["Entry", "entries_of", "metric_of"]

CELL = re.compile(r"(?P<entrant>.+)-fold\d+-seed\d+-[0-9a-f]{8}\.json")
SHOWN = (0.0, 0.4, 0.8)


@dataclass(frozen=True)
class Entry:
    """One entrant on one data set.

    Attributes
    ----------
    title : str
    scores : tuple of float
        At the shown rates.
    area : float
    cells : list of (fold, seed)
    complete : bool
        All folds and seeds of the data set's results.
    settings : dict
        Its recipe.
    """

    title: str
    scores: tuple[float, ...]
    area: float
    cells: Sequence[tuple[int, int]]
    complete: bool
    settings: Mapping[str, Any]


def entries_of(folder: Path) -> dict[str, Entry]:
    """Entrants of one data set, the best first, then those that lack folds."""
    summary = json.loads((folder / "summary.json").read_text())
    metric = metric_of(summary)
    found = {}
    for e in summary["entrants"]:
        rows = {r["rate"]: r[metric] for r in e["conditions"] if r["mode"] == "modality"}
        found[e["name"]] = Entry(
            title=e["title"],
            scores=tuple(rows[rate] for rate in SHOWN),
            area=e["areas"]["modality"][metric],
            cells=[(c["fold"], c["seed"]) for c in e["cells"]],
            complete=True,
            settings=_without_name(e["recipe"]),
        )
    found |= _unfinished(folder, found, metric, summary["dataset"]["positive"])
    return dict(sorted(found.items(), key=lambda pair: (not pair[1].complete, -pair[1].area)))


def metric_of(summary: Mapping[str, Any]) -> str:
    """AUROC where a class is positive, else macro-F1."""
    return "auroc" if "auroc" in summary["entrants"][0]["conditions"][0] else "macro_f1"


def _unfinished(
    folder: Path, complete: Mapping[str, Entry], metric: str, positive: str
) -> dict[str, Entry]:
    """Those whose cells are there but not in the summary, over the folds they have."""
    cells: dict[str, dict[tuple[int, int], FinishedCell]] = {}
    for path in sorted(folder.glob("*.json")):
        match = CELL.fullmatch(path.name)
        if match is None or match["entrant"] in complete:
            continue
        cell = read_cell(path)
        by = cell.tree["determined_by"]
        place = (by["split"]["fold"], by["seed"])
        mine = cells.setdefault(match["entrant"], {})
        # Of two with other settings the later one.
        if place not in mine or _made(mine[place]) < _made(cell):
            mine[place] = cell
    return {name: _partial(name, mine, metric, positive) for name, mine in cells.items()}


def _made(cell: FinishedCell) -> str:
    return str(cell.tree["made"]["created"])


def _partial(
    name: str, cells: Mapping[tuple[int, int], FinishedCell], metric: str, positive: str
) -> Entry:
    seeds = sorted({seed for _, seed in cells})
    first = next(iter(cells.values()))
    at = {c["rate"]: i for i, c in enumerate(first.conditions) if c["mode"] == "modality"}
    curve = {
        rate: float(
            np.mean(
                [
                    _score([c for (_, s), c in cells.items() if s == seed], i, metric, positive)
                    for seed in seeds
                ]
            )
        )
        for rate, i in at.items()
    }
    return Entry(
        title=ENTRANTS[name].title if name in ENTRANTS else name,
        scores=tuple(curve[rate] for rate in SHOWN),
        area=float(area_weights(list(curve)) @ np.array(list(curve.values()))),
        cells=sorted(cells),
        complete=False,
        settings=_without_name(first.tree["determined_by"]["recipe"]),
    )


def _score(cells: Sequence[FinishedCell], i: int, metric: str, positive: str) -> float:
    from sklearn.metrics import roc_auc_score

    truth = np.concatenate([c.truth for c in cells])
    if metric == "macro_f1":
        return macro_f1(truth, np.concatenate([c.predicted(i) for c in cells]))
    column = cells[0].classes.index(positive)
    shares = np.concatenate([c.probabilities(i)[:, column] for c in cells])
    return float(roc_auc_score(truth == column, shares))


def _without_name(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key != "name"}
