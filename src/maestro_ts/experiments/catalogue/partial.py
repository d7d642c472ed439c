"""Sensors that are there for a part of the window (the paper's Table 18)."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.spoilt_sensors import spoilt_sensors
from maestro_ts.signals.modality import Schema

__all__ = ["PARTIAL"]

PUBLISHED = 0.25
PARTS = (PUBLISHED, 0.5, 0.75)


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    # Of the two published combinations the paper takes the one of three in ten.
    sensors = spoilt_sensors(schema)[-1]
    parts = (PUBLISHED,) if quick else PARTS
    return [
        Condition("modality", 0.0),
        Condition("absent", sensors=sensors),
        *(Condition("first", share, sensors=sensors) for share in parts),
        *(Condition("last", share, sensors=sensors) for share in parts),
    ]


PARTIAL = Experiment(
    name="partial",
    title="Sensors that miss a part of the window",
    question="What does it cost when some sensors begin late or end early, beside their absence?",
    plan=_plan,
    entrants=("maestro", "maestro-plain", "lightgbm", "transformer"),
)
