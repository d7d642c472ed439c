"""Files → what a trained run thinks of their sensors, as plain figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.estimator import load
from maestro_ts.evaluation.monitor import monitored
from maestro_ts.evaluation.verdicts import VERDICTS, Drift, Verdicts
from maestro_ts.experiments.prediction_job import windows_of
from maestro_ts.experiments.progress import Progress

__all__ = ["drift_rows", "monitor_files", "save_verdicts", "verdict_rows"]


def monitor_files(
    folder: Path,
    source: Path,
    progress: Progress | None = None,
    names: Mapping[str, str] | None = None,
) -> Verdicts:
    """Judge the sensors of some files by the training windows of a run.

    `source` and `names` as in `prediction_job.predict_files`.
    """
    clf = load(folder)
    monitored(clf.monitor_)  # before data are read for nothing
    return clf.monitor(windows_of(folder, source, clf, progress or Progress(), names or {}))


def verdict_rows(verdicts: Verdicts) -> tuple[list[str], list[list[str]]]:
    """Header and rows: in how many windows each sensor has which verdict."""
    schema = verdicts.windows.schema
    rows = [[n, *(str(k) for k in verdicts.counts(n).values())] for n in schema.names]
    return ["sensor", *VERDICTS], rows


def drift_rows(verdicts: Verdicts) -> tuple[list[str], list[list[str]]]:
    """Header and rows: per sensor and view, who is furthest beyond the limit, and how many are."""
    header = ["sensor", "view", "people", "beyond", "furthest", "windows", "distance", "limit"]
    groups: dict[tuple[str, str], list[Drift]] = {}
    for drift in verdicts.drifts:
        groups.setdefault((drift.modality, drift.view), []).append(drift)
    rows = []
    for (modality, view), found in groups.items():
        worst = max(found, key=_beyond)
        rows.append(
            [
                modality,
                view,
                str(len(found)),
                str(sum(d.drifted for d in found)),
                worst.person or "–",
                str(worst.windows),
                f"{worst.distance:.3f}",
                "–" if math.isnan(worst.limit) else f"{worst.limit:.3f}",
            ]
        )
    return header, rows


def save_verdicts(verdicts: Verdicts, path: Path) -> None:
    """Write all figures as JSON: verdicts per window that has a fault, every drift."""
    windows, names = verdicts.windows, verdicts.windows.schema.names
    words = verdicts.names
    tree: dict[str, Any] = {
        "windows": len(windows),
        "people_in_training": verdicts.people,
        "verdicts": {name: verdicts.counts(name) for name in names},
        "faults": [
            {
                "source": str(windows.sources[i]),
                "subject": str(windows.subjects[i]),
                "start_s": float(windows.start_s[i]),
                "sensor": names[m],
                "verdict": str(words[i, m]),
            }
            for i, m in zip(*verdicts.suspect.nonzero(), strict=True)
        ],
        "drifts": [_plain(d) for d in verdicts.drifts],
    }
    write_text(path, json.dumps(tree, indent=1, allow_nan=False) + "\n")


def _plain(drift: Drift) -> dict[str, Any]:
    limit = None if math.isnan(drift.limit) else drift.limit
    return asdict(drift) | {"limit": limit, "drifted": drift.drifted}


def _beyond(drift: Drift) -> float:
    return drift.distance - (0.0 if math.isnan(drift.limit) else drift.limit)
