"""How many experts there are, how many serve a token, and where (the paper's Table 16).

The recipe that they are compared with has none, unless it is another than the default.
"""

from __future__ import annotations

from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.sensitivity import two_rates
from maestro_ts.experiments.entrants import Entrant

__all__ = ["EXPERTS"]


def _experts(count: int, top_k: int = 1, placement: str = "fusion") -> Entrant:
    where = "" if placement == "fusion" else ", in the head"
    return Entrant(
        f"{count} experts, {top_k} a token{where}",
        {"experts.count": count, "experts.top_k": top_k, "experts.placement": placement},
    )


VARIANTS = {
    **{f"experts-{count}": _experts(count) for count in (2, 4, 8)},
    **{f"experts-{count}-top-2": _experts(count, 2) for count in (4, 8)},
    "experts-4-head": _experts(4, placement="head"),
}

EXPERTS = Experiment(
    name="experts",
    title="Number and place of the experts",
    question="How many experts are worth their cost, how many for a token, and where?",
    plan=two_rates,
    entrants=("maestro", *VARIANTS),
    own=VARIANTS,
    costs=True,
)
