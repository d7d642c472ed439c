"""Every combination of sensors, and the worst one (the paper's Table 5, exhaustively)."""

from __future__ import annotations

from itertools import combinations

from maestro_ts.evaluation.protocol import PATTERNS_UP_TO, Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.signals.masks import all_patterns
from maestro_ts.signals.modality import Schema

__all__ = ["SUBSETS", "subsets"]


def subsets(schema: Schema) -> list[tuple[str, ...]]:
    """The sets of modalities that are kept, everything first.

    All sets of up to five modalities; else all sets of up to five devices, which fail together;
    else everything, each device absent, each alone.
    """
    if len(schema) <= PATTERNS_UP_TO:
        return all_patterns(schema)
    devices = list(schema.devices)
    n = len(devices)
    sizes = range(n, 0, -1) if n <= PATTERNS_UP_TO else (n, n - 1, 1)
    return [
        tuple(m.name for m in schema if m.device in kept)
        for size in sizes
        for kept in combinations(devices, size)
    ]


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    return [Condition("pattern", pattern=p) for p in subsets(schema)]


SUBSETS = Experiment(
    name="subsets",
    title="Every combination of sensors",
    question="Which sensors suffice, and which combination is the worst?",
    plan=_plan,
    entrants=("maestro", "lightgbm"),
)
