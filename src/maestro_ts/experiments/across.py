"""Ranks over the data sets on which the same entrants took part in the same experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.evaluation.statistics import average_ranks, critical_difference, holm, wilcoxon

__all__ = ["across"]

SAME = ("experiment", "budget", "settings")


def across(out: Path, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Mean ranks over this data set and the others below the folder; None without others.

    A data set counts if its summary there is of the same experiment, budget and settings and has
    all entrants of this one with the same recipes. Scores are areas under the curve of missing
    sensors, or macro-F1 with everything present.

    Returns
    -------
    dict with ``blocks``, ``n``, ``datasets``, ``mean`` (rank by entrant), ``critical_difference``
    and ``tests`` of the first entrant against the others (signed ranks, Holm's correction).
    """
    asked = {e["name"]: e["recipe"] for e in summary["entrants"]}
    found = {summary["dataset"]["name"]: _scores(summary)}
    for path in sorted(out.glob("*/summary.json")):
        other = json.loads(path.read_text())
        if any(other.get(key) != summary[key] for key in SAME):
            continue
        there = {e["name"]: e["recipe"] for e in other["entrants"]}
        if all(there.get(name) == recipe for name, recipe in asked.items()):
            found.setdefault(other["dataset"]["name"], _scores(other))
    if len(found) < 2 or len(asked) < 2:
        return None
    names = list(asked)
    table = np.array([[scores[name] for name in names] for scores in found.values()])
    p = [wilcoxon(table[:, 0], table[:, i]) for i in range(1, len(names))]
    return {
        "blocks": "data sets",
        "n": len(found),
        "datasets": list(found),
        "mean": dict(zip(names, map(float, average_ranks(table)), strict=True)),
        "critical_difference": critical_difference(len(names), len(found)),
        "tests": [
            {"a": names[0], "b": name, "n": len(found), "p": raw, "p_holm": corrected}
            for name, raw, corrected in zip(names[1:], p, holm(p), strict=True)
        ],
    }


def _scores(summary: Mapping[str, Any]) -> dict[str, float]:
    return {
        e["name"]: float(
            e["areas"]["modality"]["macro_f1"]
            if "modality" in e["areas"]
            else e["conditions"][0]["macro_f1"]
        )
        for e in summary["entrants"]
    }
