"""`Experiment`: a question, who takes part, and under which conditions they are tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.look import Look
from maestro_ts.experiments.entrants import Entrant
from maestro_ts.signals.modality import Schema

__all__ = ["Experiment"]


@dataclass(frozen=True)
class Experiment:
    """One row of the table of experiments.

    Attributes
    ----------
    name, title : str
    question : str
        What its table answers, in one sentence.
    plan : callable (schema, quick) -> list of Condition
        The first condition is complete input.
    entrants : tuple of str
        Who takes part unless others are named; the first is the one that others are compared with.
        Those whose model is not installed are left out.
    own : mapping of name to Entrant
        Those that only this experiment has.
    cells_of : str
        The experiment whose cells it shows otherwise; "": its own.
    ratios : callable (summary) -> list of dict, or None
        Figures that are made of its numbers, beside the published ones.
    pairs : tuple of (str, str)
        Entrants whose difference is told; without any, the first entrant's to each other.
    by_labels : callable (summary) -> list of dict, or None
        Its scores against the number of labelled subjects, where that is what differs.
    costs : bool
        What a pass costs under each condition is measured in every cell; whole modalities are
        then all that is hidden.
    look : Look or None
        What it finds inside fitted models, instead of their scores.
    """

    name: str
    title: str
    question: str
    plan: Callable[[Schema, bool], list[Condition]]
    entrants: tuple[str, ...]
    own: Mapping[str, Entrant] = field(default_factory=dict)
    cells_of: str = ""
    ratios: Callable[[Mapping[str, Any]], list[dict[str, Any]]] | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    by_labels: Callable[[Mapping[str, Any]], list[dict[str, Any]]] | None = None
    costs: bool = False
    look: Look | None = None
