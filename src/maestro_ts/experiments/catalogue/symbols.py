"""A window of each class as the model sees it: signal, bins and symbols (the paper's figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.look import Look, Opened, Tree, nothing_hidden
from maestro_ts.experiments.example import HIDDEN, liveliest, window_example
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.report.symbols import symbol_sections
from maestro_ts.signals.modality import Schema
from maestro_ts.symbols.alphabet import MISSING

__all__ = ["SYMBOLS"]


def _at(seen: Opened) -> Tree:
    """An example per class, all of one modality and channel: the liveliest of a full window."""
    front_end = seen.front_end
    assert isinstance(front_end, SymbolFrontEnd)
    labels = np.asarray(seen.test.labels).astype(str)
    sensors = seen.test.present.sum(axis=1)
    place = liveliest(seen.test[[int(np.argmax(sensors))]])
    has = seen.test.present[:, seen.test.schema.index(place[0])]
    shown: list[dict[str, Any]] = []
    for label in seen.classes:
        rows = np.flatnonzero((labels == label) & has)
        if not len(rows):
            continue
        # The first of those with the most sensors.
        window = seen.test[[rows[int(np.argmax(sensors[rows]))]]]
        whole = window_example(front_end.symbolizer, window, *place, label, hidden=None)
        hidden = window_example(front_end.symbolizer, window, *place, label, hidden=HIDDEN)
        shown.append(hidden | {"changed": _changed(whole["views"], hidden["views"])})
    lacking = sorted(set(seen.classes) - {one["label"] for one in shown})
    return {"examples": shown, "lacking": lacking}


def _changed(whole: dict[str, list[int]], hidden: dict[str, list[int]]) -> dict[str, float]:
    """Share of the symbols still seen that hiding the others has changed, of each view."""
    found = {}
    for view, before in whole.items():
        kept = np.array(hidden[view]) != MISSING
        differ = np.array(before)[kept] != np.array(hidden[view])[kept]
        found[view] = float(differ.mean()) if kept.any() else 0.0
    return found


def _joined(each: Sequence[Tree], schema: Schema) -> Tree:
    """One picture per class is enough: those of the first division."""
    return dict(each[0])


SYMBOLS = Experiment(
    name="symbols",
    title="What the model sees",
    question="What are the signal, its bins and its symbols in a window of each class?",
    plan=nothing_hidden,
    entrants=("maestro",),
    cells_of="inside",
    look=Look(_at, _joined, symbol_sections, trained=False),
)
