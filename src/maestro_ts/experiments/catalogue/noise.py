"""Sensors that deliver noise (the paper's Table 4): a model is not told which ones."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.spoilt_sensors import spoilt_sensors
from maestro_ts.signals.modality import Schema

__all__ = ["NOISE"]

PUBLISHED = 0.5  # deviations
DEVIATIONS = (PUBLISHED, 1.0, 2.0)


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    plan = [Condition("modality", 0.0)]
    for sensors in spoilt_sensors(schema)[: 1 if quick else None]:
        plan += [Condition("absent", sensors=sensors), Condition("replaced", sensors=sensors)]
        plan += [
            Condition("noise", sensors=sensors, amount=amount)
            for amount in DEVIATIONS
            if not quick or amount == PUBLISHED
        ]
        plan.append(Condition("spikes", sensors=sensors, amount=PUBLISHED))
    return plan


NOISE = Experiment(
    name="noise",
    title="Sensors that deliver noise",
    question="What does noise of some sensors cost, beside their absence?",
    plan=_plan,
    entrants=("maestro", "maestro-plain", "lightgbm", "transformer"),
)
