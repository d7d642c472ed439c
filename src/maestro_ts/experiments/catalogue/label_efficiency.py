"""What labels are worth: few labelled subjects, with pre-training on all of them or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.entrants import Entrant
from maestro_ts.signals.modality import Schema

__all__ = ["LABEL_EFFICIENCY", "by_labels"]

COUNTS = (1, 2, 4, None)  # None: all
RATES = (0.0, 0.4)
FAMILIES = {
    "maestro-pretrained": Entrant("MAESTRO pre-trained", pretrained=True),
    "maestro": Entrant("MAESTRO"),
    "lightgbm": Entrant("LightGBM", {"model_kind": "lightgbm"}),
}
KEPT = tuple(f"{m}_{part}" for m in ("macro_f1", "log_loss") for part in ("mean", "deviation"))


def _name(family: str, count: int | None) -> str:
    return f"{family}-{count or 'all'}"


def _entrant(family: str, count: int | None) -> Entrant:
    of = FAMILIES[family]
    people = {None: "all subjects", 1: "1 subject"}.get(count, f"{count} subjects")
    return Entrant(f"{of.title}, {people}", of.settings, labelled=count, pretrained=of.pretrained)


def _plan(schema: Schema, quick: bool) -> list[Condition]:
    return [Condition("modality", rate) for rate in RATES]


def by_labels(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Scores against the number of labelled subjects.

    Returns
    -------
    list of dict
        One per family that took part: ``title`` and ``points``, each with ``labelled`` (None: all),
        ``cells`` and ``rates``: mean and deviation over folds and seeds at every missing rate.
    """
    there = {e["name"]: e for e in summary["entrants"]}
    found = []
    for family, of in FAMILIES.items():
        points = [
            {
                "labelled": count,
                "cells": len(there[_name(family, count)]["cells"]),
                "rates": [
                    {"rate": row["rate"], **{key: row[key] for key in KEPT}}
                    for row in there[_name(family, count)]["conditions"]
                ],
            }
            for count in COUNTS
            if _name(family, count) in there
        ]
        if points:
            found.append({"title": of.title, "points": points})
    return found


LABEL_EFFICIENCY = Experiment(
    name="label-efficiency",
    title="Few labelled subjects",
    question="How many subjects need labels, and does learning without labels replace some?",
    plan=_plan,
    entrants=tuple(_name(family, count) for count in COUNTS for family in FAMILIES),
    own={_name(family, count): _entrant(family, count) for count in COUNTS for family in FAMILIES},
    pairs=tuple(
        (_name("maestro-pretrained", count), _name(other, count))
        for count in COUNTS
        for other in ("maestro", "lightgbm")
    ),
    by_labels=by_labels,
)
