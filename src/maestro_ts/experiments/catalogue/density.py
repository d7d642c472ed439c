"""How densely time is sampled, and how much of it attends (the paper's Table 19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.sensitivity import two_rates
from maestro_ts.experiments.entrants import Entrant

__all__ = ["DENSE", "DENSITY"]

DENSE: Mapping[str, Any] = {
    "model.attention": "dense",
    "budget.rule": "fixed",
    "budget.price": 0.0,
}
WORD = 2  # samples of the common rate


def _at(rate_hz: float, *, dense: bool = False) -> Entrant:
    """The published recipe at a common rate of its own; streams that are faster are kept."""
    settings = {"symbols.interpolate_hz": rate_hz, "symbols.bin_s": WORD / rate_hz}
    what = ", dense attention" if dense else ""
    title = f"published hyper-parameters, {rate_hz:.0f} Hz{what}"
    return Entrant(title, settings | (dict(DENSE) if dense else {}), recipe="paper")


VARIANTS = {
    "half-the-queries": Entrant(
        "half the queries attend", {"budget.beta": 5.0, "budget.fusion_beta": 20.0}
    ),
    "few-queries": Entrant(
        "an eighth of the queries attend", {"budget.beta": 1.25, "budget.fusion_beta": 5.0}
    ),
    "dense-attention": Entrant("dense attention, no budget", DENSE),
    "paper-64-hz": _at(64.0),
    "paper-128-hz": _at(128.0),
    "paper-32-hz-dense": _at(32.0, dense=True),
    "paper-64-hz-dense": _at(64.0, dense=True),
    "paper-128-hz-dense": _at(128.0, dense=True),
}

DENSITY = Experiment(
    name="density",
    title="Density of sampling and of attention",
    question="Does denser sampling or denser attention pay, and what do they cost?",
    plan=two_rates,
    entrants=("maestro", *list(VARIANTS)[:3], "maestro-paper", *list(VARIANTS)[3:]),
    own=VARIANTS,
    costs=True,
)
