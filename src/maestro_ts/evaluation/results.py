"""`Results`: everything a report or a reader needs of an evaluation, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import write_text
from maestro_ts.errors import RunError
from maestro_ts.evaluation.metrics import (
    accuracy,
    average_precision,
    confusion,
    macro_f1,
    ranking_intervals,
    roc_auc,
    subject_intervals,
)
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.signals.modality import Schema

__all__ = ["FORMAT", "Results", "explanations", "rate_curve", "score", "summarise"]

FORMAT = 1
CLASS_METRICS = ("accuracy", "macro_f1")


@dataclass
class Results:
    """What `results.json` holds.

    Attributes
    ----------
    about : dict
        Data set, counts, split, recipe name, versions, seed: what a rerun needs.
    classes : list of str
    modalities : list of dict
        The schema.
    scores : list of dict
        One per condition: mode, rate, pattern, realised, n, accuracy, macro_f1, their 95 %
        intervals by subject, per fold values, and the same on complete windows only; with a
        positive class also auroc and auprc.
    curve : list of dict
        Modality curve by rate (an average of the patterns where all were tested).
    confusions : list of dict
        ``{mode, rate, pattern, table [K][K]}`` for a few conditions.
    subjects : list of dict
        ``{subject, n, accuracy, macro_f1}`` with everything that was naturally there.
    explain : list of dict
        ``{label, n, budgets {modality: u}, experts [layer][expert] share, tokens}`` per group of
        missing patterns.
    cost : dict
        Parameters, multiply-accumulates per window, tokens per modality.
    example : dict
        A signal with its symbols, for the report.
    training : list of dict
        The training log of each fold: ``{fold, log: [EpochReport…]}``.
    numbers : dict
        Of a model that estimates a number: its name and unit, the mean absolute error of the
        training median, and true and estimated numbers of windows with everything present. Its
        rows have mae, rmse and r2 in place of accuracy and macro_f1; no classes, no confusions.
    calibration : dict
        See `calibration_scores.score_calibration`; empty without a calibration.
    """

    about: dict[str, Any]
    classes: list[str]
    modalities: list[dict[str, Any]]
    scores: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    confusions: list[dict[str, Any]] = field(default_factory=list)
    subjects: list[dict[str, Any]] = field(default_factory=list)
    explain: list[dict[str, Any]] = field(default_factory=list)
    cost: dict[str, Any] = field(default_factory=dict)
    example: dict[str, Any] = field(default_factory=dict)
    training: list[dict[str, Any]] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def save(self, path: Path) -> None:
        """Write JSON, atomically."""
        write_text(path, json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read JSON; a newer format is refused by name."""
        try:
            tree = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise RunError(
                "no results here.", where=str(path), fix="Run evaluate first."
            ) from error
        except ValueError as error:
            raise RunError(f"not JSON: {error}.", where=str(path)) from error
        if not isinstance(tree, dict):
            raise RunError("not results of an evaluation.", where=str(path))
        if tree.get("format", 0) > FORMAT:
            raise RunError(
                f"results format {tree['format']}, this version reads up to {FORMAT}.",
                where=str(path),
                fix="Upgrade maestro-ts.",
            )
        tree.pop("sensors", None)  # in the numbers that a page carries; see `SensorFile`
        try:
            return cls(**tree)
        except TypeError as error:
            raise RunError(f"not results of an evaluation: {error}.", where=str(path)) from error


def score(
    outcome: Outcome,
    k: int,
    folds: Sequence[Outcome] = (),
    repeats: int = 1000,
    positive: int | None = None,
) -> dict[str, Any]:
    """One row of `Results.scores`; `positive` is the class that AUROC and AUPRC are about."""
    condition = outcome.condition
    truth, predicted = outcome.truth, outcome.predicted
    # A fixed generator: the interval is part of the result and repeats with it.
    rng = np.random.default_rng(0)
    intervals = subject_intervals(truth, predicted, outcome.subjects, k, rng, repeats)
    whole = outcome.complete
    return {
        "mode": condition.mode,
        "rate": condition.rate,
        "pattern": list(condition.pattern),
        "seed": condition.seed,
        "realised": outcome.realised,
        "n": len(truth),
        "accuracy": accuracy(truth, predicted),
        "macro_f1": macro_f1(truth, predicted),
        "accuracy_interval": list(intervals["accuracy"]),
        "macro_f1_interval": list(intervals["macro_f1"]),
        "folds": [
            {"accuracy": accuracy(f.truth, f.predicted), "macro_f1": macro_f1(f.truth, f.predicted)}
            for f in folds
        ],
        "complete": {
            "n": int(whole.sum()),
            "accuracy": accuracy(truth[whole], predicted[whole]) if whole.any() else None,
            "macro_f1": macro_f1(truth[whole], predicted[whole]) if whole.any() else None,
        },
        **({} if positive is None else _ranking(outcome, positive)),
    }


def _ranking(outcome: Outcome, positive: int) -> dict[str, Any]:
    """How well the probability of one class ranks the windows, whatever the threshold."""
    there = outcome.truth == positive
    p = outcome.prediction.probabilities[:, positive]
    spans = ranking_intervals(there, p, outcome.subjects, np.random.default_rng(0))
    return {
        "auroc": roc_auc(there, p),
        "auprc": average_precision(there, p),
        **{f"{name}_interval": list(span) for name, span in spans.items()},
    }


def rate_curve(
    scores: Sequence[dict[str, Any]],
    m: int,
    rates: Sequence[float],
    metrics: Sequence[str] = CLASS_METRICS,
) -> list[dict[str, Any]]:
    """The modality curve by rate.

    Drawn conditions are taken as they are. Where all patterns of m modalities were tested, the
    value at rate r is their average: ``⌊rm⌋`` missing, one more with probability ``rm − ⌊rm⌋``,
    at least one left.
    """
    drawn = [s for s in scores if s["mode"] == "modality"]
    if drawn:
        keep = ("rate", "realised", *metrics, *(f"{name}_interval" for name in metrics))
        return [{k: s[k] for k in keep if k in s} | {"folds": s["folds"]} for s in drawn]
    patterns = [s for s in scores if s["mode"] == "pattern"]
    if not patterns:
        return []
    by_missing = [[s for s in patterns if len(s["pattern"]) == m - k] for k in range(m)]
    n_folds = len(patterns[0]["folds"])
    curve = []
    for rate in rates:
        whole = int(np.floor(rate * m + 1e-9))
        low, high = min(whole, m - 1), min(whole + 1, m - 1)
        part = rate * m - whole
        few, more = by_missing[low], by_missing[high]
        row: dict[str, Any] = {
            "rate": float(rate),
            "realised": ((1 - part) * low + part * high) / m,
        }
        row |= _mixed(few, more, part, metrics)
        row["folds"] = [
            _mixed([s["folds"][f] for s in few], [s["folds"][f] for s in more], part, metrics)
            for f in range(n_folds)
        ]
        curve.append(row)
    return curve


def _mixed(
    few: Sequence[dict[str, Any]],
    more: Sequence[dict[str, Any]],
    part: float,
    metrics: Sequence[str],
) -> dict[str, float | None]:
    """Mean scores of two sets of patterns, the second with weight `part`.

    None where a pattern has none: R² of equal numbers, of which every other pattern has none too.
    """
    return {
        metric: None
        if any(s[metric] is None for s in (*few, *more))
        else (1 - part) * float(np.mean([s[metric] for s in few]))
        + part * float(np.mean([s[metric] for s in more]))
        for metric in metrics
    }


def summarise(
    pooled: Sequence[Outcome],
    folds: Sequence[Sequence[Outcome]],
    *,
    about: dict[str, Any],
    classes: Sequence[str],
    schema: Schema,
    rates: Sequence[float],
    positive: str = "",
) -> Results:
    """Results of an evaluation (cost, example and training log are added by the caller)."""
    k = len(classes)
    asked = list(classes).index(positive) if positive in classes else None
    scores = [
        score(o, k, [f[i] for f in folds] if len(folds) > 1 else [], positive=asked)
        for i, o in enumerate(pooled)
    ]
    full = pooled[0]
    return Results(
        about=about,
        classes=list(classes),
        modalities=schema.to_list(),
        scores=scores,
        curve=rate_curve(scores, len(schema), rates),
        confusions=[_confusion(o, k) for o in _telling(pooled)],
        subjects=_per_subject(full),
        explain=explanations(pooled, schema),
    )


def _telling(pooled: Sequence[Outcome]) -> list[Outcome]:
    """Complete input, single sensors where there are few, about 40 % missing of each mode."""
    chosen = [pooled[0]]
    alone = [o for o in pooled[1:] if len(o.condition.pattern) == 1]
    if len(alone) <= 3:
        chosen += alone
    for mode in dict.fromkeys(o.condition.mode for o in pooled):
        same = [o for o in pooled if o.condition.mode == mode and o.condition.rate > 0]
        if same:
            chosen.append(min(same, key=lambda o: abs(o.condition.rate - 0.4)))
    return chosen


def _confusion(outcome: Outcome, k: int) -> dict[str, Any]:
    c = outcome.condition
    table = confusion(outcome.truth, outcome.predicted, k)
    return {"mode": c.mode, "rate": c.rate, "pattern": list(c.pattern), "table": table.tolist()}


def _per_subject(outcome: Outcome) -> list[dict[str, Any]]:
    rows = []
    for subject in np.unique(outcome.subjects):
        mine = outcome.subjects == subject
        truth, predicted = outcome.truth[mine], outcome.predicted[mine]
        rows.append(
            {
                "subject": str(subject),
                "n": int(mine.sum()),
                "accuracy": accuracy(truth, predicted),
                "macro_f1": macro_f1(truth, predicted),
            }
        )
    return rows


def explanations(pooled: Sequence[Outcome], schema: Schema) -> list[dict[str, Any]]:
    """Budgets and expert shares of windows grouped by what was absent."""
    whole = [o for o in pooled if o.condition.mode in ("pattern", "modality", "device")] or pooled[
        :1
    ]
    present = np.concatenate([o.present for o in whole])
    budgets = _stack([o.prediction.budgets for o in whole])
    experts = _stack([o.prediction.expert_share for o in whole])
    tokens = _stack([o.prediction.tokens for o in whole])
    groups = {"everything present": np.asarray(present.all(axis=1))}
    if any(o.condition.mode == "pattern" for o in whole):
        for o in whole[1:]:
            kept = [name in o.condition.pattern for name in schema.names]
            label = "only " + " + ".join(o.condition.pattern)
            groups[label] = np.asarray((present == np.array(kept)).all(axis=1))
    else:
        for m, name in enumerate(schema.names):
            groups[f"without {name}"] = ~present[:, m]
    rows = []
    for label, mine in groups.items():
        if not mine.any():
            continue
        rows.append(
            {
                "label": label,
                "n": int(mine.sum()),
                "budgets": None if budgets is None else _budgets(budgets, present, mine, schema),
                "experts": None if experts is None else experts[mine].mean(axis=0).tolist(),
                "tokens": None if tokens is None else float(tokens[mine].mean()),
            }
        )
    return rows


def _budgets(
    budgets: NDArray[np.float64],
    present: NDArray[np.bool_],
    mine: NDArray[np.bool_],
    schema: Schema,
) -> dict[str, float | None]:
    """Mean budget of every modality where it is present; None where it never is."""
    result: dict[str, float | None] = {}
    for m, name in enumerate(schema.names):
        rows = mine & present[:, m]
        result[name] = float(budgets[rows, m].mean()) if rows.any() else None
    return result


def _stack(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    there = [p for p in parts if p is not None]
    return np.concatenate(there) if there and len(there) == len(parts) else None
