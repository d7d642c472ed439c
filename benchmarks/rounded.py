"""A run that was trained in float32, tested again with its arithmetic in bfloat16.

``python benchmarks/rounded.py RUN --data umafall.zip [--out FILE]``: the same test subjects and
masks for both, macro-F1 by missing rate and the share of predictions that stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import umafall
from maestro_ts import MaestroClassifier
from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.evaluation.protocol import evaluate
from maestro_ts.evaluation.results import Results


def main() -> None:
    """Print one line a condition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    about = Results.load(given.run / "results.json").about
    windows = umafall.load(given.data)
    tested = np.flatnonzero(np.isin(windows.subjects, about["subjects_test"]))
    outcomes = []
    for precision in ("float32", "bfloat16"):
        clf = MaestroClassifier.load(given.run, precision=precision)
        truth = np.searchsorted(clf.classes_, windows.labels[tested])
        outcomes.append(evaluate(clf.explain, windows[tested], truth, umafall.PLAN))
    rows = [
        {
            "mode": exact.condition.mode,
            "rate": exact.condition.rate,
            "float32": round(macro_f1(exact.truth, exact.predicted), 4),
            "bfloat16": round(macro_f1(rounded.truth, rounded.predicted), 4),
            "same": round(float(np.mean(exact.predicted == rounded.predicted)), 4),
        }
        for exact, rounded in zip(*outcomes, strict=True)
    ]
    for row in rows:
        print(row)
    if given.out is not None:
        told = {
            "version": __version__,
            "split": about["split"],
            "folds": about["folds"],
            "seed": about["seed"],
            "windows": len(tested),
            "rows": rows,
        }
        write_text(given.out, json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
