"""How honest calibrated probabilities and sets are, by how much is missing, on tested windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.evaluation.calibration import Calibration
from maestro_ts.evaluation.calibration_error import reliability
from maestro_ts.evaluation.conformal import attainable
from maestro_ts.evaluation.missing_classes import EVERYTHING, assign
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.evaluation.resampled_scores import SubjectDraws, interval

__all__ = ["LEVELS", "score_calibration"]

LEVELS = (0.8, 0.9, 0.95)  # coverages that are told, where there are subjects enough
REPEATS = 1000

Floats = NDArray[np.float64]
Pair = tuple[Outcome, Calibration]


def score_calibration(
    folds: Sequence[Sequence[Outcome]], calibrations: Sequence[Calibration | None]
) -> dict[str, Any]:
    """Calibration error and coverage under every condition; empty if a fold is not calibrated.

    Parameters
    ----------
    folds : list of list of Outcome
        Of subjects that neither the model nor its calibration has seen, the same conditions in
        every fold.
    calibrations : one for each fold

    Returns
    -------
    dict
        ``temperature`` of each fold, ``subjects`` of the smallest, ``source``, ``levels`` and
        ``rows``: ``{mode, rate, n, before, after, sets}``, and ``classes``: ``{missing, n, sets}``,
        what is missing in words, over all conditions, where it has thresholds of its own. `before`
        is without the temperature; both are a `Reliability`. `sets` has for each level ``{coverage,
        covered, covered_interval, size, answered, right}``: the share of windows whose set holds
        the true class, with its 95 % interval by subject; the mean number of classes; the share of
        windows with exactly one; and the share of these that is right.
    """
    known = [c for c in calibrations if c is not None]
    if not known or len(known) < len(calibrations):
        return {}
    groups = _groups(folds[0])
    fewest = min(known, key=lambda c: c.subjects)
    levels = [x for x in LEVELS if x <= attainable(fewest.subjects) + 1e-12]
    return {
        "temperature": [asdict(c.temperature) for c in known],
        "subjects": fewest.subjects,
        "source": fewest.source,
        "levels": levels,
        "rows": [
            {"mode": mode, "rate": rate}
            | _row([[f[i] for i in some] for f in folds], known, levels)
            for (mode, rate), some in groups.items()
        ],
        "classes": _by_class(
            [
                (f[i], c)
                for f, c in zip(folds, known, strict=True)
                for some in groups.values()
                for i in some
            ],
            levels,
        ),
    }


def _groups(outcomes: Sequence[Outcome]) -> dict[tuple[str, float], list[int]]:
    """Conditions by what is missing; patterns by how many modalities, complete input once."""
    found: dict[tuple[str, float], list[int]] = {}
    for i, outcome in enumerate(outcomes):
        c, modalities = outcome.condition, outcome.present.shape[1]
        pattern = c.mode == "pattern"
        rate = 1.0 - len(c.pattern) / modalities if pattern else c.rate
        if rate == 0.0 and i:
            continue
        found.setdefault(("modality" if pattern else c.mode, rate), []).append(i)
    return found


def _row(
    folds: Sequence[Sequence[Outcome]], calibrations: Sequence[Calibration], levels: Sequence[float]
) -> dict[str, Any]:
    pairs = [(o, c) for some, c in zip(folds, calibrations, strict=True) for o in some]
    truth = np.concatenate([o.truth for o, _ in pairs])
    subjects = np.concatenate([o.subjects for o, _ in pairs])
    raw = [replace(o.prediction, temperature=None).probabilities for o, _ in pairs]
    tempered = [_probabilities(o, c) for o, c in pairs]
    draws = SubjectDraws(subjects, REPEATS, np.random.default_rng(0))
    sets = [
        {"coverage": level} | _set_scores(_sets(pairs, level), truth, draws) for level in levels
    ]
    # A fixed generator: the band is part of the result and repeats with it.
    return {
        "n": len(truth),
        "before": _reliability(np.concatenate(raw), truth),
        "after": _reliability(np.concatenate(tempered), truth),
        "sets": sets,
    }


def _by_class(pairs: Sequence[Pair], levels: Sequence[float]) -> list[dict[str, Any]]:
    """Sets by the thresholds that they were made with; those of all windows last."""
    truth = np.concatenate([o.truth for o, _ in pairs])
    subjects = np.concatenate([o.subjects for o, _ in pairs])
    owner = np.concatenate([assign(o.present, o.lost, c.modalities, c.missing) for o, c in pairs])
    sets = [(level, _sets(pairs, level)) for level in levels]
    found = []
    for name in sorted(set(owner.tolist()), key=lambda name: (name == EVERYTHING, name)):
        own = owner == name
        draws = SubjectDraws(subjects[own], REPEATS, np.random.default_rng(0))
        scores = [{"coverage": x} | _set_scores(s[own], truth[own], draws) for x, s in sets]
        found.append({"missing": name, "n": int(own.sum()), "sets": scores})
    return found


def _sets(pairs: Sequence[Pair], level: float) -> NDArray[np.bool_]:
    return np.concatenate(
        [c.sets(_probabilities(o, c), o.present, o.lost, level) for o, c in pairs]
    )


def _probabilities(outcome: Outcome, calibration: Calibration) -> Floats:
    temperature = calibration.temperature.of(outcome.present, outcome.lost)
    return replace(outcome.prediction, temperature=temperature).probabilities


def _reliability(probabilities: Floats, truth: NDArray[np.int64]) -> dict[str, Any]:
    right = probabilities.argmax(axis=1) == truth
    return reliability(probabilities.max(axis=1), right, np.random.default_rng(0)).to_dict()


def _set_scores(
    sets: NDArray[np.bool_], truth: NDArray[np.int64], draws: SubjectDraws
) -> dict[str, Any]:
    covered, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    totals = draws.totals(covered.astype(np.int64), 2)
    span = interval(totals[:, 1] / totals.sum(axis=1))
    one = size == 1
    return {
        "covered": float(covered.mean()),
        "covered_interval": None if span is None else span.tolist(),
        "size": float(size.mean()),
        "answered": float(one.mean()),
        "right": float(covered[one].mean()) if one.any() else None,
    }
