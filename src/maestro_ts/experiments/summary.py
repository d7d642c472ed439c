"""Finished cells → the numbers of an experiment's tables and figures, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from maestro_ts.evaluation.metrics import accuracy, macro_f1
from maestro_ts.evaluation.statistics import (
    area_weights,
    average_ranks,
    critical_difference,
    difference,
    holm,
    wilcoxon,
)
from maestro_ts.experiments.cell_costs import mean_costs
from maestro_ts.experiments.cell_file import FinishedCell
from maestro_ts.experiments.pooled import Pooled, Scored, score
from maestro_ts.experiments.tempered import Lack, tempered

__all__ = ["Entry", "summarise"]

TESTED = ("mode", "rate", "pattern", "sensors", "amount")  # what a condition is told by
FEW = 5  # subjects; fewer cannot differ by a signed-rank test


@dataclass(frozen=True)
class Entry:
    """An entrant with all of its cells.

    Attributes
    ----------
    cells : list of (fold, seed, FinishedCell)
        In the order of folds within seeds, the same for every entrant.
    """

    name: str
    title: str
    cells: Sequence[tuple[int, int, FinishedCell]]


def summarise(
    entries: Sequence[Entry],
    positive: str = "",
    pairs: Sequence[tuple[str, str]] = (),
    lacks: Mapping[int, Lack] = MappingProxyType({}),
) -> dict[str, Any]:
    """What an experiment found.

    Parameters
    ----------
    entries : sequence of Entry
        The first is the one that the others are compared with.
    positive : str
        The class that AUROC and AUPRC are about.
    pairs : sequence of (name, name)
        Whose differences are told, of those that are there; without any, the first's to each other.
    lacks : mapping of int to Lack
        What is missing under the conditions whose calibration is told, see `tempered.lacks_of`.

    Returns
    -------
    dict with ``entrants``, ``differences``, ``tests`` and ``ranks``.
    """
    pooled = [Pooled.of(entry.cells, positive) for entry in entries]
    scored = [score(p) for p in pooled]
    for p, s in zip(pooled, scored, strict=True):
        for i, found in tempered(p, lacks).items():
            s.rows[i]["calibration"] = found
    plan = entries[0].cells[0][2].conditions
    curves = curves_of(plan)
    subjects = [_subjects(p, curves) for p in pooled]
    return {
        "classes": pooled[0].classes,
        "n": len(pooled[0].truth),
        "n_complete": int(pooled[0].complete.sum()),
        "entrants": [
            {
                "name": entry.name,
                "title": entry.title,
                "conditions": s.rows,
                "areas": _areas(s, curves),
                "worst": _worst(s.rows),
                "subjects": people,
                **_made(entry),
            }
            for entry, s, people in zip(entries, scored, subjects, strict=True)
        ],
        "differences": [
            _difference(entries[a], entries[b], scored[a], scored[b], curves)
            for a, b in _numbers_of(pairs, entries)
        ],
        **({"tests": [], "ranks": None} if pairs else _by_subject(entries, subjects)),
    }


def _numbers_of(
    pairs: Sequence[tuple[str, str]], entries: Sequence[Entry]
) -> list[tuple[int, int]]:
    if not pairs:
        return [(0, i) for i in range(1, len(entries))]
    at = {entry.name: i for i, entry in enumerate(entries)}
    return [(at[a], at[b]) for a, b in pairs if a in at and b in at]


def curves_of(plan: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[int], list[float]]]:
    """Conditions and rates of every curve by rate; complete input begins each."""
    found = {}
    for mode in ("modality", "segment"):
        of_mode = [i for i, c in enumerate(plan) if c["mode"] == mode and c["rate"] > 0]
        if of_mode:
            found[mode] = ([0, *of_mode], [0.0, *(float(plan[i]["rate"]) for i in of_mode)])
    return found


def _areas(s: Scored, curves: Mapping[str, tuple[list[int], list[float]]]) -> dict[str, Any]:
    """Area under each curve, as its mean score, for every metric with draws."""
    found: dict[str, Any] = {}
    for mode, (rows, rates) in curves.items():
        found[mode] = {"from": rates[0], "to": rates[-1]}
        for metric, draws in s.draws.items():
            area = area_weights(rates) @ draws[rows]
            point, low, high = difference(area, np.zeros_like(area))
            found[mode][metric] = point
            found[mode][f"{metric}_interval"] = None if low is None else [low, high]
    return found


def _worst(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The combination of sensors with the lowest macro-F1."""
    patterns = [row for row in rows if row["mode"] == "pattern"]
    if not patterns:
        return None
    lowest = min(patterns, key=lambda row: float(row["macro_f1"]))
    return {key: lowest[key] for key in ("pattern", "macro_f1", "macro_f1_interval", "accuracy")}


def _difference(
    a: Entry, b: Entry, of_a: Scored, of_b: Scored, curves: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {"a": a.name, "b": b.name, "conditions": [], "areas": {}}
    for i, row in enumerate(of_a.rows):
        gaps = {
            metric: list(difference(draws[i], of_b.draws[metric][i]))
            for metric, draws in of_a.draws.items()
        }
        tested = {k: row[k] for k in TESTED if k in row}
        found["conditions"].append(tested | gaps)
    for mode, (rows, rates) in curves.items():
        weights = area_weights(rates)
        found["areas"][mode] = {
            metric: list(difference(weights @ draws[rows], weights @ of_b.draws[metric][rows]))
            for metric, draws in of_a.draws.items()
        }
    return found


def _subjects(pooled: Pooled, curves: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every subject's scores; empty where each has one window only."""
    people = np.unique(pooled.subjects)
    if len(people) == len(pooled.subjects):
        return []
    rows, rates = curves.get("modality", ([0], [0.0]))
    weights = area_weights(rates) if len(rates) > 1 else np.ones(1)
    found = []
    for subject in people:
        mine = pooled.subjects == subject
        truth = pooled.truth[mine]
        by_rate = [np.mean([accuracy(truth, p[mine]) for p in pooled.predicted[i]]) for i in rows]
        found.append(
            {
                "subject": str(subject),
                "n": int(mine.sum()),
                "accuracy": float(by_rate[0]),
                "macro_f1": float(np.mean([macro_f1(truth, p[mine]) for p in pooled.predicted[0]])),
                "accuracy_of_curve": float(weights @ by_rate),
            }
        )
    return found


def _by_subject(
    entries: Sequence[Entry], subjects: Sequence[Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """Signed-rank tests and mean ranks with the subjects as pairs and blocks."""
    n = len(subjects[0])
    if len(entries) < 2 or n < FEW:
        return {"tests": [], "ranks": None}
    scores = np.array([[row["accuracy_of_curve"] for row in people] for people in subjects]).T
    p = [wilcoxon(scores[:, 0], scores[:, i]) for i in range(1, len(entries))]
    tests = [
        {"a": entries[0].name, "b": entry.name, "n": n, "p": raw, "p_holm": corrected}
        for entry, raw, corrected in zip(entries[1:], p, holm(p), strict=True)
    ]
    ranks = average_ranks(scores)
    return {
        "tests": tests,
        "ranks": {
            "blocks": "subjects",
            "n": n,
            "mean": {e.name: float(r) for e, r in zip(entries, ranks, strict=True)},
            "critical_difference": critical_difference(len(entries), n),
        },
    }


def _made(entry: Entry) -> dict[str, Any]:
    """Cost and settings, and every cell by its hash."""
    trees = [cell.tree for _, _, cell in entry.cells]
    first = trees[0]
    return {
        "recipe": first["determined_by"]["recipe"],
        "parameters": first["made"]["parameters"],
        **_costs(trees),
        "fit_seconds": float(np.mean([t["made"]["fit_seconds"] for t in trees])),
        "test_seconds": float(np.mean([t["made"]["test_seconds"] for t in trees])),
        "cells": [
            {"fold": fold, "seed": seed, "hash": cell.tree["hash"], "n_train": cell.tree["n_train"]}
            for fold, seed, cell in entry.cells
        ],
    }


def _costs(trees: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the cells, where costs were measured."""
    measured = [t["made"]["costs"] for t in trees if "costs" in t["made"]]
    return {"costs": mean_costs(measured)} if measured else {}
