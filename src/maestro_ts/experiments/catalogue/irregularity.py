"""Sensors that keep time badly: what was trained on regular samples is tested on others."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.signals.modality import Schema

__all__ = ["IRREGULARITY"]

LOST = (0.2, 0.4, 0.6, 0.8)
JITTER = (0.01, 0.03, 0.1)  # deviation as share of the window
SKEW = (0.02, 0.05, 0.1, 0.2)  # at most, as share of the window
SLOWER = (0.5, 0.25, 0.125)  # share of the samples


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    plan = [Condition("modality", 0.0)]
    plan += [Condition("points", rate) for rate in _shown(LOST, quick)]
    plan += [Condition("jitter", amount=share) for share in _shown(JITTER, quick)]
    plan += [Condition("skew", amount=share) for share in _shown(SKEW, quick)]
    return plan + [Condition("slower", amount=share) for share in _shown(SLOWER, quick)]


def _shown(amounts: tuple[float, ...], quick: bool) -> tuple[float, ...]:
    return amounts[1:2] if quick else amounts


IRREGULARITY = Experiment(
    name="irregularity",
    title="Sensors that keep time badly",
    question="What do lost samples, times and clocks that are off, and lower rates cost?",
    plan=_plan,
    entrants=("maestro", "maestro-plain", "lightgbm", "transformer"),
)
