"""The committed leaderboard is what the files give, and hides nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaderboard import PAGE, RESULTS, page
from leaderboard_entries import entries_of
from maestro_ts.atomic import write_text
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.experiments.compact import packed, packed_shares

RATES = (0.0, 0.4, 0.8)
TRUTH = [np.array([0, 1, 1, 0]), np.array([1, 0, 1, 1])]  # of two folds
PREDICTED = [np.array([0, 1, 0, 0]), np.array([1, 1, 1, 0])]


def row(rate: float, mode: str = "modality", **more: float) -> dict[str, Any]:
    return {"mode": mode, "rate": rate, "macro_f1": 0.9 - rate / 2, **more}


def entrant(name: str, less: float, **more: float) -> dict[str, Any]:
    return {
        "name": name,
        "title": name.title(),
        "conditions": [*(row(rate, **more) for rate in RATES), row(0.4, "segment")],
        "areas": {"modality": {"macro_f1": 0.7 - less, "auroc": 0.8 - less}},
        "cells": [{"fold": fold, "seed": 0} for fold in (0, 1, 2)],
        "recipe": {"name": "x", "width": 8},
    }


def write_board(folder: Path, entrants: list[dict[str, Any]]) -> Path:
    summary = {
        "dataset": {
            "name": folder.name,
            "title": "A set",
            "n_windows": 12,
            "n_subjects": 3,
            "modalities": [{}, {}],
            "positive": "b",
        },
        "classes": ["a", "b"],
        "split": "by subject",
        "folds": [0, 1, 2],
        "folds_of": 3,
        "entrants": entrants,
    }
    write_text(folder / "summary.json", json.dumps(summary))
    return folder


def write_part(folder: Path, fold: int, created: str = "1", name: str = "late-comer") -> None:
    """A finished cell that no summary has; its predictions are the same at every rate."""
    predicted = PREDICTED[fold] if created == "1" else TRUTH[fold]
    shares = np.stack([1 - predicted, predicted], axis=1).astype(float)
    tree = {
        "format": 1,
        "determined_by": {"split": {"fold": fold}, "seed": 0, "recipe": {"name": "y"}},
        "made": {"created": created},
        "classes": ["a", "b"],
        "people": ["s"],
        "subjects": packed(np.zeros(4, dtype=np.uint16)),
        "truth": packed(TRUTH[fold].astype(np.uint16)),
        "complete": packed(np.ones(4, dtype=np.uint8)),
        "conditions": [
            {
                "mode": "modality",
                "rate": rate,
                "pattern": [],
                "seed": 0,
                "realised": rate,
                "predicted": packed(predicted.astype(np.uint16)),
                "probabilities": packed_shares(shares),
            }
            for rate in RATES
        ],
    }
    write_text(folder / f"{name}-fold{fold}-seed0-0000000{created}.json", json.dumps(tree))


def test_the_committed_page_is_what_the_files_give() -> None:
    assert PAGE.read_text() == page(RESULTS), "run: python benchmarks/leaderboard.py"


def test_who_lacks_folds_is_shown_without_a_rank(tmp_path: Path) -> None:
    folder = write_board(tmp_path / "one", [entrant("worse", 0.2), entrant("better", 0.1)])
    write_part(folder, 0)
    write_part(folder, 1)
    found = entries_of(folder)
    assert [*found] == ["better", "worse", "late-comer"]
    pooled = macro_f1(np.concatenate(TRUTH), np.concatenate(PREDICTED))
    assert found["late-comer"].scores == pytest.approx((pooled,) * 3)
    assert found["late-comer"].area == pytest.approx(pooled)
    told = page(tmp_path)
    assert "| 1 | Better | .900 | .700 | .500 | .600 | 3 folds × 1 seed |" in told
    assert f"| – | late-comer | (.{round(1000 * pooled)})" in told
    assert "2 of 3 folds × 1 seed |" in told


def test_of_two_cells_the_later_counts(tmp_path: Path) -> None:
    folder = write_board(tmp_path / "one", [entrant("ours", 0.1)])
    write_part(folder, 0, created="1")
    write_part(folder, 0, created="2")
    assert entries_of(folder)["late-comer"].scores[0] == 1.0


def test_a_positive_class_is_ranked_by_auroc(tmp_path: Path) -> None:
    folder = write_board(tmp_path / "one", [entrant("ours", 0.1, auroc=0.75)])
    write_part(folder, 0)
    found = entries_of(folder)
    assert found["ours"].scores == (0.75,) * 3
    assert found["ours"].area == pytest.approx(0.7)
    assert found["late-comer"].scores[0] == pytest.approx(0.75)  # one of two positives found
    assert "AUROC" in page(tmp_path)


def test_mean_ranks_say_over_how_many_sets_they_are(tmp_path: Path) -> None:
    write_board(tmp_path / "one", [entrant("ours", 0.1), entrant("rival", 0.2)])
    write_board(tmp_path / "two", [entrant("ours", 0.3), entrant("rival", 0.2), entrant("new", 0)])
    told = page(tmp_path)
    assert "| New | – | 1 of 3 | (1.00) |" in told
    assert "| Ours | 1 of 2 | 3 of 3 | 2.00 |" in told
    assert "Not with the same settings" not in told


def test_other_settings_under_the_same_name_are_told(tmp_path: Path) -> None:
    other = entrant("ours", 0.1)
    other["recipe"] = {"name": "x", "width": 16}
    write_board(tmp_path / "one", [entrant("ours", 0.1)])
    write_board(tmp_path / "two", [other])
    assert "Not with the same settings on every set: ours." in page(tmp_path)
