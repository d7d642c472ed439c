"""Everything present: the plain comparison (the paper's Table 2)."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.signals.modality import Schema

__all__ = ["FULL_MODALITY"]


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    return [Condition("modality", 0.0)]


FULL_MODALITY = Experiment(
    name="full-modality",
    title="Everything present",
    question="How well is each class told when nothing is hidden?",
    plan=_plan,
    entrants=(
        *("maestro", "maestro-paper", "maestro-plain"),
        *("lightgbm", "lightgbm-31", "multirocket-hydra", "logistic", "majority"),
    ),
)
