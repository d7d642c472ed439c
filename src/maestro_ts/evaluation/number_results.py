"""Results of a model that estimates a number, under every kind of absence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maestro_ts.evaluation.number_metrics import (
    NUMBER_METRICS,
    number_intervals,
    number_metrics,
)
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.evaluation.results import Results, explanations, rate_curve
from maestro_ts.signals.modality import Schema

__all__ = ["score_numbers", "summarise_numbers"]

SHOWN = 2000  # windows whose estimates the results hold


def score_numbers(
    outcome: Outcome, folds: Sequence[Outcome] = (), repeats: int = 1000
) -> dict[str, Any]:
    """One row of `Results.scores`."""
    condition, whole = outcome.condition, outcome.complete
    truth, estimates = outcome.truth, outcome.prediction.numbers
    # A fixed generator: the interval is part of the result and repeats with it.
    rng = np.random.default_rng(0)
    spans = number_intervals(truth, estimates, outcome.subjects, rng, repeats)
    nothing = dict.fromkeys(NUMBER_METRICS)
    return {
        "mode": condition.mode,
        "rate": condition.rate,
        "pattern": list(condition.pattern),
        "seed": condition.seed,
        "realised": outcome.realised,
        "n": len(truth),
        **number_metrics(truth, estimates),
        **{f"{name}_interval": list(span) for name, span in spans.items()},
        "folds": [number_metrics(f.truth, f.prediction.numbers) for f in folds],
        "complete": {
            "n": int(whole.sum()),
            **(number_metrics(truth[whole], estimates[whole]) if whole.any() else nothing),
        },
    }


def summarise_numbers(
    pooled: Sequence[Outcome],
    folds: Sequence[Sequence[Outcome]],
    *,
    about: dict[str, Any],
    schema: Schema,
    rates: Sequence[float],
    name: str,
    unit: str,
    medians: Sequence[float],
) -> Results:
    """Results of an evaluation (cost, example and training log are added by the caller).

    Parameters
    ----------
    pooled, folds, about, schema, rates
        As in `results.summarise`.
    name, unit : str
        What the number is.
    medians : sequence of float
        Of each fold's training numbers: what a model is worth that looks at nothing.
    """
    scores = [
        score_numbers(o, [f[i] for f in folds] if len(folds) > 1 else [])
        for i, o in enumerate(pooled)
    ]
    blind = [np.abs(f[0].truth - m) for f, m in zip(folds, medians, strict=True)]
    return Results(
        about=about,
        classes=[],
        modalities=schema.to_list(),
        scores=scores,
        curve=rate_curve(scores, len(schema), rates, NUMBER_METRICS),
        subjects=_per_subject(pooled[0]),
        explain=explanations(pooled, schema),
        numbers={
            "name": name,
            "unit": unit,
            "median_mae": float(np.concatenate(blind).mean()),
            **_estimates(pooled[0]),
        },
    )


def _per_subject(outcome: Outcome) -> list[dict[str, Any]]:
    rows = []
    for subject in np.unique(outcome.subjects):
        mine = outcome.subjects == subject
        found = number_metrics(outcome.truth[mine], outcome.prediction.numbers[mine])
        rows.append({"subject": str(subject), "n": int(mine.sum()), **found})
    return rows


def _estimates(outcome: Outcome) -> dict[str, Any]:
    """True and estimated numbers; of very many windows those with the smallest identities."""
    shown = np.sort(np.argsort(outcome.ids, kind="stable")[:SHOWN])
    return {
        "truth": outcome.truth[shown].tolist(),
        "estimates": outcome.prediction.numbers[shown].tolist(),
        "subjects": outcome.subjects[shown].tolist(),
    }
