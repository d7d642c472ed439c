"""WESAD's wrist band, subjects left out: LightGBM on values as they are and relative to baselines.

Five folds by subject, 31 statistics per channel, no copies with missing sensors; scored are the
windows that every row has. ``python benchmarks/baseline.py --data ARCHIVE [--out FILE]``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from rivals.statistics import statistics_51
from rivals.trees import TreesOnStatistics51

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.evaluation.metrics import accuracy, macro_f1, subject_intervals
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.split import subject_folds
from maestro_ts.signals.windows import Windows

FOLDS = 5
DATASET = "wesad-e4"


class Trees(TreesOnStatistics51):
    """Trained on intact windows alone."""

    copies = 0


def scores(windows: Windows, seed: int) -> dict[str, Any]:
    """Pooled over the folds."""
    assert windows.labels is not None
    classes, truth = np.unique(windows.labels, return_inverse=True)
    features = statistics_51(windows)[0]
    predicted: NDArray[np.int64] = np.zeros(len(windows), np.int64)
    for train, test in subject_folds(windows.subjects, FOLDS, seed=0):
        trees = Trees(num_threads=1).fit(windows[train], seed=seed, features=features[train])
        columns = np.searchsorted(classes, trees.classes_)
        found = trees.predict_proba(windows[test], features[test])
        predicted[test] = columns[found.argmax(axis=1)]
    spans = subject_intervals(
        truth, predicted, windows.subjects, len(classes), np.random.default_rng(0)
    )
    return {
        "windows": len(windows),
        "accuracy": round(accuracy(truth, predicted), 4),
        "macro_f1": round(macro_f1(truth, predicted), 4),
        "macro_f1_interval": [round(float(x), 4) for x in spans["macro_f1"]],
    }


def main() -> None:
    """One row per baseline and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    about, recordings = card(DATASET), read(DATASET, args.data).recordings
    rows = []
    scored: set[int] | None = None
    for period in (args.seconds, None, "session"):
        spec = replace(about.windows, baseline_s=period)
        windows = cut(recordings, about.schema, spec)
        scored = scored or set(windows.ids.tolist())
        windows = windows[np.isin(windows.ids, list(scored))]
        for seed in args.seeds:
            began = time.process_time()
            row = {"baseline_s": period, "seed": seed, **scores(windows, seed)}
            rows.append(row | {"cpu_s": round(time.process_time() - began, 1)})
            print(json.dumps(rows[-1]), flush=True)
    if args.out is not None:
        told = {"version": __version__, "dataset": DATASET, "folds": FOLDS, "rows": rows}
        write_text(args.out, json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
