"""Tables of `selection.py`'s cells: scores of both selections, what the sample finds, outputs."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.evaluation.metrics import accuracy, macro_f1

__all__ = ["pairs", "tables"]

Cells = dict[int, dict[int, dict[str, Any]]]  # seed → fold → cell


def tables(folder: Path) -> str:
    """All three as Markdown, from the cells that are there."""
    grouped: dict[tuple[str, str], dict[str, Cells]] = defaultdict(
        lambda: {"sampled": defaultdict(dict), "exact": defaultdict(dict)}
    )
    for path in sorted(folder.glob("*.json")):
        cell = json.loads(path.read_text())
        of_kind = grouped[cell["data"], cell["settings"]][cell["selection"]]
        of_kind[cell["seed"]][cell["fold"]] = cell
    parts = [
        "\n".join(lines)
        for key, kinds in grouped.items()
        for lines in (_scores(key, kinds), _found(key, kinds), _outputs(key, kinds))
        if lines
    ]
    return "\n\n".join(parts)


def pairs(kinds: dict[str, Cells]) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Per seed the cells of both selections, over the folds that both have."""
    found = []
    for seed in sorted(kinds["sampled"].keys() & kinds["exact"].keys()):
        folds = sorted(kinds["sampled"][seed].keys() & kinds["exact"][seed].keys())
        if folds:
            sampled, exact = ([kinds[kind][seed][f] for f in folds] for kind in kinds)
            found.append((sampled, exact))
    return found


def _scores(key: tuple[str, str], kinds: dict[str, Cells]) -> list[str]:
    both = pairs(kinds)
    if not both:
        return []
    rates = [c["rate"] for c in both[0][0][0]["conditions"]]
    folds = "/".join(str(len(sampled)) for sampled, _ in both)
    head = f"{' '.join(key)}, {len(both)} seeds, {folds} folds"
    lines = [f"| {head} | " + " | ".join(f"{r:.0%}" for r in rates) + " |", "|---" * 6 + "|"]
    # [seeds, 2 selections, rates, 2 scores]
    table = np.array([[_pooled(cells) for cells in pair] for pair in both])
    for k, kind in enumerate(("sampled", "exact")):
        cells = [f"{f1:.3f} ({right:.3f})" for f1, right in table[:, k].mean(axis=0)]
        lines.append(f"| {kind}, macro-F1 (accuracy) | " + " | ".join(cells) + " |")
    for s, name in enumerate(("macro-F1", "accuracy")):
        gaps = table[:, 0, :, s] - table[:, 1, :, s]
        cells = [f"{g.mean():+.3f} [{g.min():+.3f}, {g.max():+.3f}]" for g in gaps.T]
        lines.append(f"| sampled − exact, {name} [least, most] | " + " | ".join(cells) + " |")
    return lines


def _pooled(cells: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Macro-F1 and accuracy at each rate, over all windows of some folds."""
    truth = np.concatenate([c["truth"] for c in cells])
    return [
        (macro_f1(truth, predicted), accuracy(truth, predicted))
        for predicted in (
            np.concatenate([c["conditions"][i]["predicted"] for c in cells])
            for i in range(len(cells[0]["conditions"]))
        )
    ]


def _found(key: tuple[str, str], kinds: dict[str, Cells]) -> list[str]:
    """What the sample finds in the networks that were trained with it."""
    cells = [cell for folds in kinds["sampled"].values() for cell in folds.values()]
    if not cells:
        return []
    lines = [
        f"| {' '.join(key)}, {len(cells)} networks | found | at random | keys | all attend |",
        "|---|---|---|---|---|",
    ]
    for layer in cells[0]["layers"]:
        tallies = [cell["layers"][layer] for cell in cells]
        ranked = [t for t in tallies if t["ranked"]]
        total = sum(t["ranked"] + t["unranked"] for t in tallies)
        figures = [
            f"{np.average([t[name] for t in ranked], weights=[t['ranked'] for t in ranked]):.3f}"
            if ranked
            else "–"
            for name in ("recovered", "chance", "keys")
        ]
        everyone = sum(t["unranked"] for t in tallies) / total
        lines.append(f"| {layer} | " + " | ".join(figures) + f" | {everyone:.1%} |")
    return lines


def _outputs(key: tuple[str, str], kinds: dict[str, Cells]) -> list[str]:
    """How far the same weights give other outputs with the other selection."""
    lines = []
    for kind, other in (("sampled", "exact"), ("exact", "sampled")):
        cells = [cell for folds in kinds[kind].values() for cell in folds.values()]
        if not cells:
            continue
        apart = [c["logits_apart"] for cell in cells for c in cell["conditions"]]
        changed = [
            np.mean(np.not_equal(c["predicted"], c["swapped"]))
            for cell in cells
            for c in cell["conditions"]
        ]
        gaps = [
            macro_f1(np.array(cell["truth"]), np.array(c["swapped"]))
            - macro_f1(np.array(cell["truth"]), np.array(c["predicted"]))
            for cell in cells
            for c in cell["conditions"]
        ]
        lines.append(
            f"{' '.join(key)}, trained {kind}, tested {other}: logits differ by "
            f"{np.mean(apart):.4f} (at most {max(apart):.4f}), {np.mean(changed):.2%} of the "
            f"predictions (at most {max(changed):.2%}), macro-F1 by {np.mean(gaps):+.4f} "
            f"[{min(gaps):+.4f}, {max(gaps):+.4f}]."
        )
    return lines
