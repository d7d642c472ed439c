"""How good the sampled selection of queries is: against one that scores every query on every key.

A cell is one fit: data set, settings, selection, fold, seed. Both selections start from the same
weights, see the same batches and are tested on the same masks. Every cell is a small JSON in
``docs/results/selection/``; a finished one is not computed again.
``python benchmarks/selection.py --data umafall.zip --sets umafall --settings beta-5 --folds 0``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import umafall
from maestro_ts import MaestroClassifier
from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.contract.registry import MODELS, ModelEntry, build_network
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.evaluation.protocol import Condition, evaluate
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.split import subject_folds
from maestro_ts.signals.windows import Windows
from maestro_ts.training.predictor import predict
from recovery import recovery
from selection_table import tables

FOLDS = 5
PLAN = [Condition("modality", rate) for rate in (0.0, 0.2, 0.4, 0.6, 0.8)]
KINDS = {"sampled": "maestro", "exact": "maestro-every-key"}
# Recipe `default` samples all keys at these lengths: its selection is exact. With the published β
# = 5 in encoders and fusion the sample is a sample.
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "default": ("default", {}),
    "beta-5": ("default", {"budget.beta": 5.0, "budget.fusion_beta": 5.0}),
    "paper": ("paper", {"model.absent": "token"}),
}
# The watch set as long as in `maestro-ts demo`; recipe `paper` briefly, for what its sample finds.
LENGTH: dict[tuple[str, str], dict[str, Any]] = {
    ("watch", "default"): {"training.epochs": 30, "training.min_steps": 0},
    ("watch", "beta-5"): {"training.epochs": 30, "training.min_steps": 0},
    ("watch", "paper"): {"training.epochs": 30},
    ("umafall", "paper"): {"training.max_steps": 100},
}


class Cell(NamedTuple):
    """One fit."""

    data: str
    settings: str
    selection: str
    fold: int
    seed: int

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.data}-{self.settings}-{self.selection}-fold{self.fold}-seed{self.seed}.json"

    def changes(self, selection: str) -> dict[str, Any]:
        """Of the recipe, for a selection."""
        length = LENGTH.get((self.data, self.settings), {})
        return SETTINGS[self.settings][1] | length | {"model_kind": KINDS[selection]}


def load(data: str, archive: Path | None) -> Windows:
    """All windows of a set."""
    if data == "umafall":
        if archive is None:
            raise SystemExit("UMAFall needs --data umafall.zip.")
        return umafall.load(archive)
    about = card("watch")
    return cut(read("watch", None).recordings, about.schema, about.windows)


def run_cell(cell: Cell, archive: Path | None, out: Path) -> str:
    """Compute one cell unless it is there."""
    path = out / cell.file
    if path.exists():
        return f"{path.name}: there already"
    import torch

    torch.set_num_threads(1)
    windows = load(cell.data, archive)
    train, test = subject_folds(windows.subjects, FOLDS, seed=0)[cell.fold]
    began = time.perf_counter()
    found = measured(cell, windows[train], windows[test])
    split = f"GroupKFold({FOLDS}, shuffle=True, random_state=0) by subject"
    head = cell._asdict() | {"changes": cell.changes(cell.selection), "split": split}
    write_text(path, json.dumps(head | {"version": __version__} | found) + "\n")
    seconds = time.perf_counter() - began
    score = macro_f1(found["truth"], found["conditions"][0]["predicted"])
    return f"{path.name}: {seconds:.0f} s, macro-F1 {score:.3f} with everything present"


def measured(cell: Cell, train: Windows, test: Windows) -> dict[str, Any]:
    """Fit; test under every condition, with the other selection too; count what is recovered."""
    MODELS.setdefault(KINDS["exact"], ModelEntry("every_key", "every key is scored", "", ()))
    clf = MaestroClassifier(
        recipe=SETTINGS[cell.settings][0],
        settings=cell.changes(cell.selection),
        random_state=cell.seed,
        n_threads=1,
    ).fit(train)
    other = "exact" if cell.selection == "sampled" else "sampled"
    recipe = clf.recipe_.override({"model_kind": KINDS[other]})
    turned = build_network(clf.front_end_, len(clf.classes_), recipe)
    turned.load_state_dict(clf.network_.state_dict())
    truth = np.searchsorted(clf.classes_, test.labels)
    own = evaluate(clf.explain, test, truth, PLAN)
    swapped = evaluate(lambda seen: predict(clf.front_end_, turned, seen), test, truth, PLAN)
    network = clf.network_ if cell.selection == "sampled" else turned
    with recovery(network) as tallies:
        predict(clf.front_end_, network, test)
    return {
        "layers": {name: tally.means() for name, tally in sorted(tallies.items())},
        "subjects": test.subjects.tolist(),
        "truth": truth.tolist(),
        "conditions": [
            {
                "rate": o.condition.rate,
                "realised": round(o.realised, 4),
                "predicted": o.predicted.tolist(),
                "swapped": s.predicted.tolist(),
                "logits_apart": _apart(o.prediction.logits, s.prediction.logits),
            }
            for o, s in zip(own, swapped, strict=True)
        ],
    }


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Relative L2 difference of two sets of logits."""
    return float(f"{np.linalg.norm(a - b) / np.linalg.norm(a):.3g}")


def main() -> None:
    """Run all missing cells, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="UMAFall's archive")
    home = Path(__file__).parents[1] / "docs/results/selection"
    parser.add_argument("--out", type=Path, default=home)
    parser.add_argument("--sets", nargs="*", default=["watch"], choices=["watch", "umafall"])
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--selections", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--folds", nargs="*", type=int, default=list(range(FOLDS)))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="only print the tables")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.show:
        print(tables(args.out))
        return
    cells = [
        Cell(data, settings, selection, fold, seed)
        for data in args.sets
        for settings in args.settings
        for seed in args.seeds
        for fold in args.folds
        for selection in args.selections
    ]
    with ProcessPoolExecutor(args.jobs) as workers:
        futures = [workers.submit(run_cell, cell, args.data, args.out) for cell in cells]
        for future in futures:
            print(future.result(), flush=True)
    print(tables(args.out))


if __name__ == "__main__":
    main()
