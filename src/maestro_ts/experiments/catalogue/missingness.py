"""What missing sensors cost: whole modalities and contiguous segments at rising rates."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import PATTERNS_UP_TO, Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.signals.masks import all_patterns
from maestro_ts.signals.modality import Schema

__all__ = ["MISSINGNESS", "rates_plan"]

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
SEGMENTS = (0.2, 0.4, 0.6, 0.8)
FIRST_LOOK = (0.0, 0.4, 0.8)


def rates_plan(schema: Schema, quick: bool) -> list[Condition]:
    """Both modes at their rates; the masks are fixed by each window's identity and nested."""
    plan = [Condition("modality", rate) for rate in (FIRST_LOOK if quick else RATES)]
    return plan + [
        Condition("segment", rate) for rate in SEGMENTS if not quick or rate in FIRST_LOOK
    ]


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    patterns = all_patterns(schema)[1:] if len(schema) <= PATTERNS_UP_TO else []
    return rates_plan(schema, quick) + [Condition("pattern", pattern=p) for p in patterns]


MISSINGNESS = Experiment(
    name="missingness",
    title="Missing sensors",
    question="How much of the score is left when sensors, or stretches of their signals, are lost?",
    plan=_plan,
    entrants=("maestro", "maestro-plain", "lightgbm", "lightgbm-31", "multirocket-hydra"),
)
