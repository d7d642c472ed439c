"""The file of a finished cell: what determines it, how it was made, every prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import RunError
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.experiments.cell import FORMAT, Cell, condition_tree
from maestro_ts.experiments.compact import packed, packed_shares, shares, unpacked

__all__ = ["FinishedCell", "read_cell", "write_cell"]


@dataclass(frozen=True)
class FinishedCell:
    """A cell that was computed.

    Attributes
    ----------
    tree : dict
        The file as it is: ``determined_by``, ``made`` (seconds, parameters, versions, machine,
        state of the code), ``n_train``, and what the arrays below are decoded from.
    classes : list of str
    truth : (n,), int64; subjects : (n,), str
    complete : (n,), bool
        All modalities were naturally present.
    """

    tree: Mapping[str, Any]
    classes: list[str]
    truth: NDArray[np.int64]
    subjects: NDArray[np.str_]
    complete: NDArray[np.bool_]

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """What was tested, with the realised rate: all but what was predicted."""
        said = ("predicted", "probabilities")
        return [{k: v for k, v in c.items() if k not in said} for c in self.tree["conditions"]]

    def predicted(self, i: int) -> NDArray[np.int64]:
        """Predicted classes under condition i, (n,)."""
        return unpacked(self.tree["conditions"][i]["predicted"]).astype(np.int64)

    def probabilities(self, i: int) -> NDArray[np.float64]:
        """Probabilities under condition i, (n, K), in steps of 1/65,535."""
        return shares(self.tree["conditions"][i]["probabilities"])

    def same_numbers(self, other: FinishedCell) -> bool:
        """Whether every class, probability and realised rate is the same."""
        return bool(self.tree["conditions"] == other.tree["conditions"])


def write_cell(
    path: Path,
    cell: Cell,
    outcomes: Sequence[Outcome],
    classes: Sequence[str],
    n_train: int,
    made: Mapping[str, Any],
) -> None:
    """Write a finished cell; the file is there whole or not at all."""
    first = outcomes[0]
    people = sorted({str(s) for s in first.subjects})
    tree = {
        "format": FORMAT,
        "entrant": cell.entrant,
        "hash": cell.hash,
        "determined_by": cell.determined_by(),
        "made": dict(made),
        "n_train": n_train,
        "classes": list(classes),
        "people": people,
        "subjects": packed(np.searchsorted(people, first.subjects).astype(np.uint16)),
        "ids": packed(first.ids),
        "truth": packed(first.truth.astype(np.uint16)),
        "complete": packed(first.complete.astype(np.uint8)),
        "conditions": [
            {
                **condition_tree(o.condition),
                "realised": round(o.realised, 6),
                "predicted": packed(o.predicted.astype(np.uint16)),
                "probabilities": packed_shares(o.prediction.probabilities),
            }
            for o in outcomes
        ],
    }
    write_text(path, json.dumps(tree, indent=1) + "\n")


def read_cell(path: Path) -> FinishedCell:
    """Read a finished cell.

    Raises
    ------
    RunError
        No file of a cell, or one of a newer format.
    """
    try:
        tree = json.loads(path.read_text())
        if tree["format"] > FORMAT:
            raise RunError(
                f"cell format {tree['format']}, this version reads up to {FORMAT}.",
                where=str(path),
                fix="Upgrade maestro-ts.",
            )
        people = np.array(tree["people"])
        return FinishedCell(
            tree=tree,
            classes=list(tree["classes"]),
            truth=unpacked(tree["truth"]).astype(np.int64),
            subjects=people[unpacked(tree["subjects"])],
            complete=unpacked(tree["complete"]).astype(bool),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"not a finished cell: {error}.",
            where=str(path),
            fix="Delete it; it is then computed again.",
        ) from error
