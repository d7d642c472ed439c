"""Predictions as a Parquet table: one row per window (and condition)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import atomic_path
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Outcome
from maestro_ts.signals.windows import Windows

__all__ = ["write_outcomes", "write_predictions"]


def write_predictions(
    path: Path,
    windows: Windows,
    prediction: Prediction,
    classes: NDArray[Any] | None,
    sets: NDArray[np.bool_] | None = None,
    verdicts: NDArray[np.str_] | None = None,
) -> None:
    """What a model says of windows: place, prediction, probability of every class, what was there.

    Columns ``source, subject, start_s, duration_s, predicted, p_<class>…, present_<modality>…``
    and ``prior``: True where no modality was present and the answer is the learned prior. Without
    classes `predicted` is the estimated number, and there are no probabilities. With `sets` (n, K)
    also ``set``, a list of classes, and ``abstains``: True where it is not one class. With
    `verdicts` (n, M) also ``verdict_<modality>…``: what is wrong with the sensor.
    """
    columns: dict[str, Any] = {
        "source": windows.sources,
        "subject": windows.subjects,
        "start_s": windows.start_s,
        "duration_s": windows.duration_s,
        **_predicted(prediction, classes),
    }
    for m, name in enumerate(windows.schema.names):
        columns[f"present_{name}"] = windows.present[:, m]
        if verdicts is not None:
            columns[f"verdict_{name}"] = verdicts[:, m]
    columns["prior"] = ~windows.present.any(axis=1)
    if sets is not None:
        names = np.asarray(classes).astype(str)
        columns["set"] = [names[row].tolist() for row in sets]
        columns["abstains"] = sets.sum(axis=1) != 1
    _write(path, columns)


def write_outcomes(path: Path, outcomes: Sequence[Outcome], classes: NDArray[Any] | None) -> None:
    """What a model said under every condition of an evaluation."""
    parts: list[dict[str, Any]] = []
    for outcome in outcomes:
        c, n = outcome.condition, len(outcome.truth)
        parts.append(
            {
                "window": outcome.ids,
                "subject": outcome.subjects,
                "mode": np.full(n, c.mode),
                "rate": np.full(n, c.rate),
                "pattern": np.full(n, "+".join(c.pattern)),
                "truth": outcome.truth
                if classes is None
                else np.asarray(classes[outcome.truth]).astype(str),
                **_predicted(outcome.prediction, classes),
            }
        )
    _write(path, {key: np.concatenate([p[key] for p in parts]) for key in parts[0]})


def _predicted(prediction: Prediction, classes: NDArray[Any] | None) -> dict[str, Any]:
    if classes is None:
        return {"predicted": prediction.numbers}
    p = prediction.probabilities
    best = np.asarray(classes[p.argmax(axis=1)]).astype(str)
    return {"predicted": best} | {
        f"p_{c}": p[:, k].astype(np.float32) for k, c in enumerate(classes)
    }


def _write(path: Path, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as partial:
        pq.write_table(pa.table(columns), partial, compression="zstd")
