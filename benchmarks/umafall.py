"""UMAFall, five folds by subject: MAESTRO, ablations, rivals, the same masks for all.

One run, cell by cell: a cell is (model, fold); a finished one is not computed again. Every cell
is a small JSON in ``docs/results/umafall/`` with its settings and, per condition, the predicted
classes, so that any table can be made anew. ``python benchmarks/umafall.py --data ARCHIVE``.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.evaluation.metrics import (
    accuracy,
    confusion,
    f1_of_confusion,
    macro_f1,
    subject_intervals,
)
from maestro_ts.evaluation.protocol import Condition, Outcome, evaluate
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.split import subject_folds
from maestro_ts.signals.windows import Windows

FOLDS = 5
RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
PLAN = [Condition("modality", r) for r in RATES] + [
    Condition("segment", r) for r in (0.2, 0.4, 0.6, 0.8)
]
# The first ablation was computed before the recipe augmented its windows.
AS_RECORDED = {"augmentation.max_windows": 0}
DENSE = AS_RECORDED | {
    "model.attention": "dense",
    "experts.placement": "none",
    "budget.rule": "fixed",
    "budget.price": 0.0,
}
# The trees were computed before rivals lost segments in training.
NINE = {
    "model_kind": "lightgbm",
    "curriculum.modality_max": 0.6,
    "curriculum.segment_probability": 0.0,
}
LARGE = NINE | {
    "curriculum.modality_max": 0.5,
    "rival.statistics": "31",
    "rival.trees": 2000,
    "rival.leaves": 31,
    "rival.learning_rate": 0.05,
    "rival.copies": 3,
    "rival.least_rate": 0.1,
    "rival.patience": 100,
}
MODELS: dict[str, dict[str, Any]] = {
    "trees-51": LARGE,
    "trees-nine": NINE,
    "multirocket-hydra": {"model_kind": "multirocket-hydra"},
    "logistic": {"model_kind": "logistic"},
    "majority": {"model_kind": "majority"},
    "maestro": {},
    "maestro-dense": DENSE,
    "maestro-bfloat16": {"model.precision": "bfloat16"},
    "maestro-experts": AS_RECORDED | {"experts.placement": "fusion"},
}
QUICK = ("trees-51", "trees-nine", "maestro", "maestro-dense")


def load(data: Path) -> Windows:
    """All readable trials."""
    about = card("umafall")
    return cut(read("umafall", data).recordings, about.schema, about.windows)


def fit_and_predict(
    model: str, train: Windows, test: Windows, classes: np.ndarray, seed: int
) -> list[Outcome]:
    """Fit one model on a fold and test it under every condition."""
    from maestro_ts import MaestroClassifier

    clf = MaestroClassifier(settings=MODELS[model], random_state=seed, n_threads=1).fit(train)
    assert clf.classes_.tolist() == classes.tolist()
    return evaluate(clf.explain, test, np.searchsorted(classes, test.labels), PLAN)


def run_cell(model: str, fold: int, seed: int, data: Path, out: Path) -> str:
    """Compute one cell unless it is there."""
    path = out / f"{model}-fold{fold}-seed{seed}.json"
    if path.exists():
        return f"{path.name}: there already"
    import torch

    torch.set_num_threads(1)
    windows = load(data)
    classes = np.unique(windows.labels)
    train, test = subject_folds(windows.subjects, FOLDS, seed=0)[fold]
    began = time.perf_counter()
    outcomes = fit_and_predict(model, windows[train], windows[test], classes, seed)
    seconds = time.perf_counter() - began
    cell = {
        "model": model,
        "settings": MODELS[model],
        "fold": fold,
        "seed": seed,
        "version": __version__,
        "seconds": round(seconds, 1),
        "split": f"GroupKFold({FOLDS}, shuffle=True, random_state=0) by subject",
        "classes": classes.tolist(),
        "subjects": outcomes[0].subjects.tolist(),
        "complete": outcomes[0].complete.astype(int).tolist(),
        "truth": outcomes[0].truth.tolist(),
        "conditions": [
            {
                "mode": o.condition.mode,
                "rate": o.condition.rate,
                "realised": round(o.realised, 4),
                "predicted": o.predicted.tolist(),
            }
            for o in outcomes
        ],
    }
    write_text(path, json.dumps(cell) + "\n")
    score = macro_f1(outcomes[0].truth, outcomes[0].predicted)
    return f"{path.name}: {seconds:.0f} s, macro-F1 {score:.3f} with everything present"


def summarise(out: Path) -> dict[str, Any]:
    """Pool the folds of every model that is complete; differences to the better LightGBM."""
    table: dict[str, Any] = {}
    for model in MODELS:
        cells = [json.loads(p.read_text()) for p in sorted(out.glob(f"{model}-fold?-seed0.json"))]
        if len(cells) == FOLDS:
            table[model] = [_pooled(cells, i) for i in range(len(PLAN))]
    return table


def _pooled(cells: list[dict[str, Any]], i: int) -> dict[str, Any]:
    truth = np.concatenate([c["truth"] for c in cells])
    predicted = np.concatenate([c["conditions"][i]["predicted"] for c in cells])
    subjects = np.concatenate([c["subjects"] for c in cells])
    whole = np.concatenate([c["complete"] for c in cells]).astype(bool)
    k = len(cells[0]["classes"])
    spans = subject_intervals(truth, predicted, subjects, k, np.random.default_rng(0))
    first = cells[0]["conditions"][i]
    return {
        "mode": first["mode"],
        "rate": first["rate"],
        "realised": float(
            np.average(
                [c["conditions"][i]["realised"] for c in cells],
                weights=[len(c["truth"]) for c in cells],
            )
        ),
        "accuracy": accuracy(truth, predicted),
        "macro_f1": macro_f1(truth, predicted),
        "macro_f1_interval": spans["macro_f1"],
        "macro_f1_complete_trials": macro_f1(truth[whole], predicted[whole]),
        "folds": [macro_f1(c["truth"], c["conditions"][i]["predicted"]) for c in cells],
    }


def difference(
    out: Path, a: str, b: str, i: int, repeats: int = 2000
) -> tuple[float, float, float]:
    """Macro-F1 of a minus b under condition i, with a paired bootstrap interval by subject."""
    tables = []
    for model in (a, b):
        cells = [json.loads(p.read_text()) for p in sorted(out.glob(f"{model}-fold?-seed0.json"))]
        truth = np.concatenate([c["truth"] for c in cells])
        predicted = np.concatenate([c["conditions"][i]["predicted"] for c in cells])
        subjects = np.concatenate([c["subjects"] for c in cells])
        k = len(cells[0]["classes"])
        tables.append(
            np.stack(
                [
                    confusion(truth[subjects == s], predicted[subjects == s], k)
                    for s in np.unique(subjects)
                ]
            )
        )
    n = len(tables[0])
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=repeats)
    gaps = f1_of_confusion(np.tensordot(drawn, tables[0], 1)) - f1_of_confusion(
        np.tensordot(drawn, tables[1], 1)
    )
    point = f1_of_confusion(tables[0].sum(0)) - f1_of_confusion(tables[1].sum(0))
    return float(point), *(float(q) for q in np.quantile(gaps, [0.025, 0.975]))


def show(out: Path) -> None:
    """Print the table and the differences, and write ``summary.json``."""
    table = summarise(out)
    header = [f"{c.mode[0]}{c.rate:.0%}" for c in PLAN]
    print("macro-F1".ljust(18), *[h.rjust(7) for h in header])
    for model, rows in table.items():
        print(model.ljust(18), *[f"{r['macro_f1']:.3f}".rjust(7) for r in rows])
        print("  accuracy".ljust(18), *[f"{r['accuracy']:.3f}".rjust(7) for r in rows])
        print(
            "  complete trials".ljust(18),
            *[f"{r['macro_f1_complete_trials']:.3f}".rjust(7) for r in rows],
        )
    gaps = {}
    for model in table:
        for rival in ("trees-51", "trees-nine", "maestro-dense"):
            if rival in table and model.startswith("maestro") and model != rival:
                gaps[f"{model} - {rival}"] = [
                    difference(out, model, rival, i) for i in range(len(PLAN))
                ]
    for name, rows in gaps.items():
        print(name)
        print(
            "   ",
            "  ".join(
                f"{h} {p:+.3f} [{a:+.3f}, {b:+.3f}]"
                for h, (p, a, b) in zip(header, rows, strict=True)
            ),
        )
    write_text(
        out / "summary.json", json.dumps({"models": table, "differences": gaps}, indent=1) + "\n"
    )


def main() -> None:
    """Run all missing cells, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "docs/results/umafall"
    )
    parser.add_argument("--models", nargs="*", default=list(QUICK), choices=list(MODELS))
    parser.add_argument("--folds", nargs="*", type=int, default=list(range(FOLDS)))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--show", action="store_true", help="only print the table of finished cells"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.show:
        cells = [(m, f) for f in args.folds for m in args.models]
        with ProcessPoolExecutor(args.jobs) as workers:
            futures = [workers.submit(run_cell, m, f, 0, args.data, args.out) for m, f in cells]
            for future in futures:
                print(future.result(), flush=True)
    show(args.out)


if __name__ == "__main__":
    main()
