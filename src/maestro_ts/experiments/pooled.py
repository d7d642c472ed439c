"""The cells of one entrant joined: folds one after another, seeds beside each other; its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError
from maestro_ts.evaluation.metrics import accuracy, average_precision, macro_f1
from maestro_ts.evaluation.resampled_scores import (
    SubjectDraws,
    f1_scores,
    interval,
    weighted_auroc,
)
from maestro_ts.evaluation.statistics import mean_and_deviation
from maestro_ts.experiments.cell_file import FinishedCell

__all__ = ["Pooled", "Scored", "score"]

DRAWS = 2000
RANKING_DRAWS = 200  # of AUROC, which sorts all windows for each
SMALLEST = 0.5 / 65535  # a probability that was rounded to nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """All test windows of the folds.

    Attributes
    ----------
    classes : list of str
    positive : int or None
        The class that AUROC and AUPRC are about; None too where only one class was tested.
    truth, subjects, complete : (n,)
    realised : (C,)
        Rate of what was lost in all windows together.
    predicted : [condition][seed] (n,)
    probabilities : [condition][seed] (n, K)
    folds : list of (fold, seed, rows), rows a slice of the windows
    plan : list of dict
        The conditions.
    """

    classes: list[str]
    positive: int | None
    truth: NDArray[np.int64]
    subjects: NDArray[np.str_]
    complete: NDArray[np.bool_]
    realised: Floats
    predicted: list[list[NDArray[np.int64]]]
    probabilities: list[list[Floats]]
    folds: list[tuple[int, int, slice]]
    plan: list[dict[str, Any]]

    @classmethod
    def of(cls, cells: Sequence[tuple[int, int, FinishedCell]], positive: str) -> Pooled:
        """Join the cells; those of a seed are neighbours, with the same folds in each seed."""
        seeds = list(dict.fromkeys(seed for _, seed, _ in cells))
        by_seed = [[cell for _, s, cell in cells if s == seed] for seed in seeds]
        first = by_seed[0]
        for others in by_seed[1:]:
            if [len(c.truth) for c in others] != [len(c.truth) for c in first]:
                raise DataError("the cells of the seeds are not of the same folds.")
        sizes = [len(c.truth) for c in first]
        ends = np.cumsum(sizes)
        rows = [slice(int(e - n), int(e)) for e, n in zip(ends, sizes, strict=True)]
        count = range(len(first[0].conditions))
        realised = [[c.conditions[i]["realised"] for c in first] for i in count]
        classes = first[0].classes
        truth = np.concatenate([c.truth for c in first])
        ranked = positive in classes and len(np.unique(truth)) > 1
        return cls(
            classes=classes,
            positive=classes.index(positive) if ranked else None,
            truth=truth,
            subjects=np.concatenate([c.subjects for c in first]),
            complete=np.concatenate([c.complete for c in first]),
            realised=np.average(realised, axis=1, weights=sizes),
            predicted=[
                [np.concatenate([c.predicted(i) for c in of_seed]) for of_seed in by_seed]
                for i in count
            ],
            probabilities=[
                [np.concatenate([c.probabilities(i) for c in of_seed]) for of_seed in by_seed]
                for i in count
            ],
            folds=[(f, s, rows[k % len(rows)]) for k, (f, s, _) in enumerate(cells)],
            plan=first[0].conditions,
        )


@dataclass(frozen=True)
class Scored:
    """Scores of one entrant.

    Attributes
    ----------
    rows : list of dict
        One per condition: mode, rate, pattern, realised, scores pooled over the folds and averaged
        over the seeds, their intervals by subject, and mean and deviation over folds and seeds.
    draws : dict of metric to (C, 1 + draws)
        Everybody's score and those of the draws of subjects, the same for every entrant.
    """

    rows: list[dict[str, Any]]
    draws: dict[str, Floats]


def score(pooled: Pooled) -> Scored:
    """Score every condition; nothing is drawn but the fixed draws of subjects."""
    # A fixed generator: entrants are compared on the same draws.
    people = SubjectDraws(pooled.subjects, DRAWS, np.random.default_rng(0))
    draws = {"macro_f1": np.stack([_f1(pooled, i, people) for i in range(len(pooled.plan))])}
    if pooled.positive is not None:
        fewer = SubjectDraws(pooled.subjects, RANKING_DRAWS, np.random.default_rng(0))
        weights = fewer.weights()
        draws["auroc"] = np.stack([_auroc(pooled, i, weights) for i in range(len(pooled.plan))])
    return Scored([_row(pooled, i, draws) for i in range(len(pooled.plan))], draws)


def _f1(pooled: Pooled, i: int, people: SubjectDraws) -> Floats:
    k = len(pooled.classes)
    scores = [f1_scores(pooled.truth, p, k, people)[0] for p in pooled.predicted[i]]
    return np.asarray(np.mean(scores, axis=0))


def _auroc(pooled: Pooled, i: int, weights: Floats) -> Floats:
    there = pooled.truth == pooled.positive
    scores = [
        weighted_auroc(there, p[:, pooled.positive], weights) for p in pooled.probabilities[i]
    ]
    return np.asarray(np.mean(scores, axis=0))


def _row(pooled: Pooled, i: int, draws: dict[str, Floats]) -> dict[str, Any]:
    truth, whole = pooled.truth, pooled.complete
    seeds = pooled.predicted[i]
    row = {k: v for k, v in pooled.plan[i].items() if k not in ("seed", "realised")}
    row["realised"] = float(pooled.realised[i])
    row["accuracy"] = float(np.mean([accuracy(truth, p) for p in seeds]))
    row["log_loss"] = float(np.mean([_log_loss(truth, p) for p in pooled.probabilities[i]]))
    for metric, values in draws.items():
        edges = interval(values[i][np.isfinite(values[i])])
        row[metric] = float(values[i, 0])
        row[f"{metric}_interval"] = None if edges is None else [float(e) for e in edges]
    if pooled.positive is not None:
        there = truth == pooled.positive
        found = [average_precision(there, p[:, pooled.positive]) for p in pooled.probabilities[i]]
        row["auprc"] = float(np.mean([v for v in found if v is not None]))
    row |= _spread(pooled, i)
    row["complete"] = (
        {
            "accuracy": float(np.mean([accuracy(truth[whole], p[whole]) for p in seeds])),
            "macro_f1": float(np.mean([macro_f1(truth[whole], p[whole]) for p in seeds])),
        }
        if whole.any()
        else None
    )
    return row


def _spread(pooled: Pooled, i: int) -> dict[str, Any]:
    """Every fold and seed alone, with mean and deviation over them."""
    seeds = list(dict.fromkeys(seed for _, seed, _ in pooled.folds))
    alone = []
    for fold, seed, rows in pooled.folds:
        truth, predicted = pooled.truth[rows], pooled.predicted[i][seeds.index(seed)][rows]
        alone.append(
            {
                "fold": fold,
                "seed": seed,
                "accuracy": accuracy(truth, predicted),
                "macro_f1": macro_f1(truth, predicted),
                "log_loss": _log_loss(truth, pooled.probabilities[i][seeds.index(seed)][rows]),
            }
        )
    found: dict[str, Any] = {"cells": alone}
    for metric in ("accuracy", "macro_f1", "log_loss"):
        mean, deviation = mean_and_deviation([c[metric] for c in alone])
        found[f"{metric}_mean"], found[f"{metric}_deviation"] = mean, deviation
    return found


def _log_loss(truth: NDArray[np.int64], probabilities: Floats) -> float:
    right = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, SMALLEST)).mean())
