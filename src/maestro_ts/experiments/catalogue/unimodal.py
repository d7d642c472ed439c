"""Each sensor on its own: a model of it alone, and the one of all (the paper's Tables 20, 21)."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.entrants import ENTRANTS, Entrant, Groups
from maestro_ts.signals.modality import Schema

__all__ = ["UNIMODAL"]


def _each(schema: Schema) -> Groups:
    return tuple((name,) for name in schema.names)


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    each = _each(schema) if len(schema) > 1 else ()
    return [Condition("modality", 0.0), *(Condition("pattern", pattern=p) for p in each)]


VARIANTS = {
    "maestro-each": Entrant("MAESTRO, a model of each sensor", groups=_each),
    "transformer-each": Entrant(
        "Transformer, a model of each sensor", ENTRANTS["transformer"].settings, groups=_each
    ),
}

UNIMODAL = Experiment(
    name="unimodal",
    title="Each sensor on its own",
    question="Does one model of all sensors know each of them as well as a model of it alone?",
    plan=_plan,
    entrants=("maestro", "maestro-each", "transformer", "transformer-each"),
    own=VARIANTS,
    pairs=tuple((name.removesuffix("-each"), name) for name in VARIANTS),
)
