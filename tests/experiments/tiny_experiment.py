"""A tiny data set in the layout of the smart-watch set, and jobs on it that take a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.experiments.catalogue import EXPERIMENTS
from maestro_ts.experiments.cell_work import Source
from maestro_ts.experiments.experiment_job import ExperimentJob
from maestro_ts.signals.datasets import watch

SUBJECTS = 6
EXERCISES = ("PEN", "ROW", "IR")
FAST = {
    "training.epochs": 2,
    "training.min_steps": 0,
    "augmentation.max_windows": 0,
    "model.width": 8,
    "symbols.tokens": 4,
}


def write_data(folder: Path) -> Path:
    """Six subjects, three exercises, 8 s each: three windows a recording."""
    rng = np.random.default_rng(0)
    series, y, subject = [], [], []
    for s in range(SUBJECTS):
        for k in range(len(EXERCISES)):
            beat = np.sin(np.arange(400)[:, None] * 2 * np.pi * (k + 1) / 100 + s)
            series.append((k + 1) * beat + 0.2 * rng.normal(size=(400, 6)))
            y.append(k)
            subject.append(s + 1)
    content = {
        "X": np.array([*series, None], dtype=object)[:-1],
        "y": np.array(y),
        "y_labels": list(EXERCISES),
        "subject": np.array(subject),
        "X_labels": list(watch.CHANNELS),
    }
    path = folder / "watch_dataset.npy"
    np.save(path, np.array(content, dtype=object))
    return path


def tiny_job(name: str, data: Path, out: Path, **changes: Any) -> ExperimentJob:
    """Two entrants, two folds, recipe tiny."""
    return ExperimentJob(
        **{
            "experiment": EXPERIMENTS[name],
            "source": Source("watch", data),
            "out": out,
            "models": ("maestro", "maestro-plain"),
            "folds": (0, 1),
            "recipe": "tiny",
            "settings": FAST,
        }
        | changes
    )
