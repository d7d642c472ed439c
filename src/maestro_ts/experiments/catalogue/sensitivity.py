"""Conditions of experiments that vary one setting: complete, and 40 % of the sensors missing."""

from __future__ import annotations

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.signals.modality import Schema

__all__ = ["two_rates"]


def two_rates(schema: Schema, quick: bool) -> list[Condition]:
    """Everything present, and the largest rate of the paper."""
    return [Condition("modality", 0.0), Condition("modality", 0.4)]
