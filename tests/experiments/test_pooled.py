"""Scores of a task with a positive class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Condition, Outcome
from maestro_ts.experiments.cell_file import FinishedCell, read_cell, write_cell
from maestro_ts.experiments.pooled import Pooled, score

N = 40


def finished(path: Path, seed: int, truth: np.ndarray) -> FinishedCell:
    from test_cell import CELL

    rng = np.random.default_rng(seed)
    outcome = Outcome(
        condition=Condition("modality"),
        realised=0.0,
        truth=truth,
        subjects=np.array([f"p{i % 8}" for i in range(N)]),
        ids=np.arange(N, dtype=np.uint64),
        complete=np.arange(N) % 4 > 0,
        lost=np.zeros(N),
        present=np.ones((N, 2), dtype=bool),
        prediction=Prediction(rng.normal(size=(N, 2)) + np.eye(2)[truth]),
    )
    write_cell(path, CELL, [outcome], ["died", "lived"], 9, {"code": "x"})
    return read_cell(path)


def test_rankings_are_averaged_over_seeds(tmp_path: Path) -> None:
    truth = np.random.default_rng(5).integers(2, size=N)
    cells = [(0, s, finished(tmp_path / f"{s}.json", s, truth)) for s in (0, 1)]
    found = score(Pooled.of(cells, "died"))
    row = found.rows[0]
    p = [cell.probabilities(0) for _, _, cell in cells]
    assert row["auroc"] == pytest.approx(np.mean([roc_auc_score(truth == 0, q[:, 0]) for q in p]))
    assert row["auprc"] == pytest.approx(
        np.mean([average_precision_score(truth == 0, q[:, 0]) for q in p])
    )
    assert row["log_loss"] == pytest.approx(np.mean([log_loss(truth, q) for q in p]), rel=1e-3)
    low, high = row["auroc_interval"]
    assert low < row["auroc"] < high
    assert found.draws["auroc"].shape == (1, 201)
    whole = np.arange(N) % 4 > 0
    right = [np.mean(c.predicted(0)[whole] == truth[whole]) for _, _, c in cells]
    assert row["complete"]["accuracy"] == pytest.approx(np.mean(right))


def test_where_one_class_was_tested_nothing_is_ranked(tmp_path: Path) -> None:
    cells = [(0, 0, finished(tmp_path / "a.json", 0, np.ones(N, dtype=np.int64)))]
    assert "auroc" not in score(Pooled.of(cells, "died")).rows[0]
    assert "auroc" not in score(Pooled.of(cells, "")).rows[0]
