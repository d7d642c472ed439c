"""Value sensors: what each is worth if it fails, on average, in pairs, and for its cost.

The worth of a set of sensors is the model's score on test windows in which all others are hidden;
what is naturally absent stays absent, and a window that has nothing left is predicted from the
learned prior. Intervals come from draws of subjects, all sets on the same draws; where orders are
sampled they are drawn anew with the subjects, so that the interval holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.evaluation.coalitions import (
    EXACT_UP_TO,
    along_orders,
    antithetic_orders,
    every_coalition,
    interactions,
    order_shapley,
    pareto_front,
    shapley,
    smallest_keeping,
)
from maestro_ts.evaluation.resampled_scores import SubjectDraws, interval
from maestro_ts.evaluation.sensor_value import KeptSet, SensorValue
from maestro_ts.evaluation.tested_coalitions import Ask, TestedCoalitions, without_each
from maestro_ts.signals.masks import membership
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["BY", "METRICS", "PERMUTATIONS", "players", "value_sensors"]

BY = ("device", "modality")
METRICS = {"macro_f1": 1000, "auroc": 200}  # draws of subjects
PERMUTATIONS = 40
SHARE = 0.95

Floats = NDArray[np.float64]


def players(schema: Schema, by: str) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Names of the players and their modalities, [P, M]."""
    if by not in BY:
        raise ConfigError(f"sensors are valued by {by!r}.", fix=nearest(by, BY))
    if by == "device":
        return schema.devices, membership(schema)
    return schema.names, np.eye(len(schema), dtype=bool)


def value_sensors(
    ask: Ask,
    windows: Windows,
    truth: NDArray[np.int64],
    classes: Sequence[str],
    *,
    subjects: NDArray[np.str_] | None,
    by: str = "device",
    metric: str = "macro_f1",
    positive: str = "",
    costs: Mapping[str, float] | None = None,
    unit: str = "",
    permutations: int = PERMUTATIONS,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SensorValue:
    """Ask a model about its windows with sensors hidden and share out what it scores.

    Parameters
    ----------
    ask : callable
        Modalities kept [s, M] → probabilities [s, n, K] of the windows with the others absent.
    windows : Windows
        n of them.
    truth : (n,)
        Numbers of the classes.
    classes : sequence of str, K
    subjects : (n,) or None
        None, or one only: there are no intervals.
    by : {"device", "modality"}
        What fails together.
    metric : {"macro_f1", "auroc"}
    positive : str
        The class that AUROC is about; the second of two unless given.
    costs : mapping of player to float, optional
        Each at least 0.
    unit : str
        Of the costs.
    permutations : int
        Orders that are sampled, in pairs, where there are more than twelve players; up to twelve
        all sets are tested.
    rng : Generator
        Of the draws of subjects and of the orders.

    Raises
    ------
    ConfigError
        Unknown player, metric or class; costs that do not name every player.
    DataError
        AUROC of windows of one class.
    """
    names, members = players(windows.schema, by)
    prices = _prices(names, costs, by)
    if permutations < 4 or permutations % 2:
        raise ConfigError(f"permutations must be even and 4 or more, got {permutations}.")
    if metric not in METRICS:
        raise ConfigError(f"unknown metric {metric!r}.", fix=nearest(metric, METRICS))
    asked = _positive(classes, positive) if metric == "auroc" else None
    owners = np.zeros(len(truth), dtype=np.str_) if subjects is None else subjects
    draws = SubjectDraws(owners, METRICS[metric], rng)
    if asked is not None:
        _keep_both_classes(draws, truth == asked)
    tested = TestedCoalitions(ask, members, truth, len(classes), draws, asked, progress)
    shares = _all_sets(tested) if len(names) <= EXACT_UP_TO else _orders(tested, permutations, rng)
    everyone = np.ones(len(names), dtype=bool)
    full, none = tested.rows(np.stack([everyone, ~everyone]))
    fewer = tested.rows(without_each(everyone))
    scores, class_f1 = tested.scores, tested.class_f1
    losses = scores[full][:, None] - scores[fewer].T  # [rows, P]
    drawn_f1 = tested.drawn_class_f1(full)
    class_losses = np.stack([drawn_f1 - tested.drawn_class_f1(r) for r in fewer], axis=1)
    return SensorValue(
        by=by,
        players=names,
        there=np.array([windows.present[:, mine].any(axis=1).mean() for mine in members]),
        metric=metric,
        nothing=float(scores[none, 0]),
        nothing_interval=interval(scores[none]),
        everything=float(scores[full, 0]),
        everything_interval=interval(scores[full]),
        loss=losses[0],
        loss_interval=interval(losses),
        shapley=shares.values[0],
        shapley_interval=interval(shares.values),
        shapley_error=shares.error,
        pairs=None if shares.pairs is None else shares.pairs[0],
        pairs_interval=None if shares.pairs is None else interval(shares.pairs),
        classes=tuple(classes),
        class_windows=np.bincount(truth, minlength=len(classes)),
        class_f1=class_f1[full],
        class_loss=class_losses[0],
        class_loss_interval=interval(class_losses),
        class_shapley=shares.class_values,
        costs=prices,
        unit=unit if costs is not None else "",
        **_kept(tested, scores, names, prices, int(full), int(none)),
        sets=len(scores),
        windows=len(truth),
        subjects=draws.subjects if subjects is not None else 0,
        draws=len(draws) - 1,
    )


@dataclass(frozen=True)
class _Shares:
    """Values [rows, P], their sampling error [P], pairs [rows, P, P], values of classes [P, K]."""

    values: Floats
    error: Floats | None
    pairs: Floats | None
    class_values: Floats


def _all_sets(tested: TestedCoalitions) -> _Shares:
    rows = tested.rows(every_coalition(len(tested.members)))
    worth = tested.scores[rows].T
    of_classes = shapley(tested.class_f1[rows].T)
    return _Shares(shapley(worth), None, interactions(worth), of_classes.T)


def _orders(tested: TestedCoalitions, permutations: int, rng: np.random.Generator) -> _Shares:
    n, pairs = len(tested.members), permutations // 2
    orders = antithetic_orders(n, pairs, rng)
    ways = along_orders(orders)
    rows = tested.rows(ways.reshape(-1, n)).reshape(ways.shape[:-1])
    tested.eliminate()
    each = order_shapley(np.moveaxis(tested.scores[rows], -1, 0), orders)  # [rows, pairs, P]
    counts = rng.multinomial(pairs, np.full(pairs, 1 / pairs), len(each)) / pairs
    counts[0] = 1 / pairs
    of_classes = order_shapley(np.moveaxis(tested.class_f1[rows], -1, 0), orders).mean(axis=1)
    return _Shares(
        values=np.einsum("rq,rqp->rp", counts, each),
        error=each[0].std(axis=0, ddof=1) / np.sqrt(pairs),
        pairs=None,
        class_values=of_classes.T,
    )


def _kept(
    tested: TestedCoalitions,
    scores: Floats,
    names: Sequence[str],
    prices: Floats,
    full: int,
    none: int,
) -> dict[str, Any]:
    """The front of costs and the smallest set that is nearly as good as all."""
    coalitions, worth = tested.coalitions, scores[:, 0]
    nobody, everybody = worth[none], worth[full]

    def told(row: int) -> KeptSet:
        bounds = interval(scores[row])
        adds = everybody - nobody
        return KeptSet(
            players=tuple(n for n, there in zip(names, coalitions[row], strict=True) if there),
            cost=float(coalitions[row] @ prices),
            score=float(worth[row]),
            interval=None if bounds is None else (float(bounds[0]), float(bounds[1])),
            share=float((worth[row] - nobody) / adds) if adds > 0 else None,
        )

    front = pareto_front(coalitions @ prices, worth)
    smallest = smallest_keeping(coalitions, worth, nobody, everybody, SHARE)
    return {"front": tuple(told(row) for row in front), "smallest": told(smallest)}


def _prices(names: Sequence[str], costs: Mapping[str, float] | None, by: str) -> Floats:
    if costs is None:
        return np.ones(len(names))
    for name, cost in costs.items():
        if name not in names:
            raise ConfigError(f"costs name an unknown {by} {name!r}.", fix=nearest(name, names))
        if not (np.isfinite(cost) and cost >= 0):
            raise ConfigError(f"the cost of {name!r} must be a number of at least 0, got {cost!r}.")
    lacking = [name for name in names if name not in costs]
    if lacking:
        raise ConfigError(
            f"costs do not name every {by}: {', '.join(lacking)} not.",
            fix="Give each a cost, 0 for what costs nothing.",
        )
    return np.array([float(costs[name]) for name in names])


def _positive(classes: Sequence[str], positive: str) -> int:
    if not positive and len(classes) == 2:
        return 1
    if positive not in classes:
        raise ConfigError(
            f"AUROC needs the class that it is about; {positive or 'none'!r} among "
            f"{len(classes)} classes.",
            fix="Use macro-F1, or name it in Python: positive=…",
        )
    return list(classes).index(positive)


def _keep_both_classes(draws: SubjectDraws, positive: NDArray[np.bool_]) -> None:
    """Leave out draws of one class only: there is nothing to rank in them."""
    both = np.asarray((draws.totals(positive.astype(np.int64), 2) > 0).all(axis=1))
    if not both[0]:
        raise DataError("AUROC of windows of one class.", fix="Use macro-F1.")
    draws.keep(both)
