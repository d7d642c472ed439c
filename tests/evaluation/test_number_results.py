"""Results of a model that estimates a number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.evaluation.number_results import SHOWN, summarise_numbers
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Outcome, conditions, pool
from maestro_ts.evaluation.results import Results
from maestro_ts.signals.modality import Modality, Schema

SCHEMA = Schema([Modality("a", rate_hz=4), Modality("b", rate_hz=2)])


def outcomes(seed: int, n: int = 12, *, constant: bool = False) -> list[Outcome]:
    """One fold under every pattern and 40 % of segments; more is wrong where less is there."""
    rng = np.random.default_rng(seed)
    truth = np.full(n, 70.0) if constant else 70 + rng.normal(0, 5, n)
    found = []
    for condition in conditions(SCHEMA, (0.0, 0.4), ("modality", "segment")):
        lost = condition.rate + 2 - len(condition.pattern or SCHEMA.names)
        found.append(
            Outcome(
                condition=condition,
                realised=lost / 2,
                truth=truth,
                subjects=np.array([f"s{seed}{i % 3}" for i in range(n)]),
                ids=np.arange(n, dtype=np.uint64) + np.uint64(100 * seed),
                complete=np.arange(n) % 2 == 0,
                lost=np.zeros(n),
                present=np.ones((n, 2), bool),
                prediction=Prediction((truth + 1.0 + lost)[:, None], tokens=np.full(n, 8)),
            )
        )
    return found


def summarised(folds: list[list[Outcome]], **more: object) -> Results:
    given: dict = {
        "about": {"dataset": "made-up"},
        "schema": SCHEMA,
        "rates": (0.0, 0.5),
        "name": "heart rate",
        "unit": "1/min",
        "medians": [70.0] * len(folds),
    }
    return summarise_numbers(pool(folds), folds, **(given | more))


def test_a_row_has_the_errors_their_intervals_and_complete_windows() -> None:
    row = summarised([outcomes(1)]).scores[0]
    assert row["mae"] == pytest.approx(1.0)
    assert row["rmse"] == pytest.approx(1.0)
    assert row["mae_interval"] == pytest.approx([1.0, 1.0])
    assert row["r2_interval"][0] <= row["r2"] <= row["r2_interval"][1]
    assert row["complete"]["n"] == 6
    assert row["complete"]["mae"] == pytest.approx(1.0)
    assert "accuracy" not in row


def test_the_curve_is_the_average_of_the_patterns() -> None:
    rows = {row["rate"]: row for row in summarised([outcomes(1)]).curve}
    assert rows[0.0]["mae"] == pytest.approx(1.0)
    assert rows[0.5]["mae"] == pytest.approx(2.0)  # one of two missing


def test_folds_are_pooled_and_each_has_its_own_median() -> None:
    folds = [outcomes(1), outcomes(2)]
    found = summarised(folds, medians=[70.0, 60.0])
    away = [np.abs(f[0].truth - m) for f, m in zip(folds, (70.0, 60.0), strict=True)]
    assert found.numbers["median_mae"] == pytest.approx(np.concatenate(away).mean())
    assert found.scores[0]["n"] == 24
    assert [f["mae"] for f in found.scores[0]["folds"]] == pytest.approx([1.0, 1.0])
    assert {s["subject"] for s in found.subjects} == {"s10", "s11", "s12", "s20", "s21", "s22"}


def test_numbers_that_are_all_equal_have_no_r2_anywhere(tmp_path: Path) -> None:
    found = summarised([outcomes(1, constant=True)])
    assert {row["r2"] for row in (*found.scores, *found.curve, *found.subjects)} == {None}
    found.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json").numbers == found.numbers
    assert json.loads((tmp_path / "results.json").read_text())["confusions"] == []


def test_of_many_windows_the_same_few_are_shown_whatever_their_order() -> None:
    (fold,) = [outcomes(1, SHOWN + 50)]
    numbers = summarised([fold]).numbers
    assert len(numbers["truth"]) == len(numbers["estimates"]) == SHOWN
    assert numbers["truth"] == fold[0].truth[:SHOWN].tolist()
