"""Some sensors are known to suffice: the others are hidden on purpose (the paper's Table 22)."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.entrants import ENTRANTS, Entrant, Groups
from maestro_ts.signals.modality import Schema

__all__ = ["PRIOR_MASK", "trusted_sensors"]

MOTION = "acc"  # of what the name of an acceleration says


def trusted_sensors(schema: Schema) -> tuple[str, ...]:
    """The modalities that are kept, by prior knowledge and never by a test score.

    Accelerations, as in the paper; where none or all are, the first device of several; else the
    first modality.
    """
    names = tuple(n for n in schema.names if MOTION in n.lower().split("_"))
    if 0 < len(names) < len(schema):
        return names
    first = tuple(m.name for m in schema if m.device == schema.devices[0])
    return first if len(first) < len(schema) else first[:1]


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    plan = [Condition("modality", 0.0)]
    if len(schema) > 1:
        plan.append(Condition("pattern", pattern=trusted_sensors(schema)))
    return plan


def _groups(schema: Schema) -> Groups:
    return (trusted_sensors(schema),)


VARIANTS = {
    "maestro-trusted": Entrant("MAESTRO, trained on the trusted sensors alone", groups=_groups),
    "transformer-trusted": Entrant(
        "Transformer, trained on the trusted sensors alone",
        ENTRANTS["transformer"].settings,
        groups=_groups,
    ),
}

PRIOR_MASK = Experiment(
    name="prior-mask",
    title="Only the trusted sensors",
    question="Is a model of all sensors better when it is shown only those that are trusted?",
    plan=_plan,
    entrants=("maestro", "maestro-trusted", "transformer", "transformer-trusted"),
    own=VARIANTS,
    pairs=tuple((name.removesuffix("-trusted"), name) for name in VARIANTS),
)
