"""Score and cost of a pass side by side, at rising missing rates (the paper's Table 3)."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.density import DENSE
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.missingness import FIRST_LOOK, RATES
from maestro_ts.experiments.entrants import Entrant
from maestro_ts.signals.modality import Schema

__all__ = ["COST"]

VARIANTS = {
    "paper-dense": Entrant("published hyper-parameters, dense attention", DENSE, recipe="paper"),
    "paper-dense-no-experts": Entrant(
        "published hyper-parameters, dense attention, no experts",
        {**DENSE, "experts.placement": "none"},
        recipe="paper",
    ),
}


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    return [Condition("modality", rate) for rate in (FIRST_LOOK if quick else RATES)]


COST = Experiment(
    name="cost",
    title="What a pass costs",
    question="What do parameters, products, time and memory buy, and do lost sensors save any?",
    plan=_plan,
    entrants=(
        *("maestro", "maestro-paper", *VARIANTS),
        *("transformer", "itransformer", "fusemoe", "mult", "shaspec", "lightgbm"),
    ),
    own=VARIANTS,
    costs=True,
)
