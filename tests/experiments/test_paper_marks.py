"""The paper's single values: they name what exists, and ours stands beside the right one."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_ts.experiments.catalogue import EXPERIMENTS
from maestro_ts.experiments.entrants import ENTRANTS
from maestro_ts.experiments.paper_marks import MARKS, paper_marks
from maestro_ts.experiments.published import PAPER_NAMES
from maestro_ts.report.paper_marks import mark_tables
from maestro_ts.signals.datasets import card

CASES = [
    (experiment, dataset)
    for experiment, paper in MARKS
    for dataset, name in PAPER_NAMES.items()
    if name == paper
]


@pytest.mark.parametrize(("name", "dataset"), CASES)
def test_every_value_has_an_entrant_and_a_condition_of_ours(name, dataset) -> None:
    experiment = EXPERIMENTS[name]
    known = {**ENTRANTS, **experiment.own}
    plan = experiment.plan(card(dataset).schema, False)
    rows = [
        {
            "mode": c.mode,
            "rate": c.rate,
            "pattern": list(c.pattern),
            "sensors": list(c.sensors),
            "amount": c.amount,
        }
        for c in plan
    ]
    for mark in MARKS[name, PAPER_NAMES[dataset]]:
        assert mark.entrant in known
        assert sum(all(r[k] == v for k, v in mark.condition.items()) for r in rows) == 1
        assert mark.metric == "mmac" or 0 < mark.paper < 1


def test_ours_is_that_of_the_entrant_and_condition() -> None:
    def entrant(name: str, scores: list[float]) -> dict[str, Any]:
        modes = [("modality", 0.0, []), ("pattern", 0.0, ["chest_acc", "wrist_acc"])]
        return {
            "name": name,
            "title": name.upper(),
            "conditions": [
                {"mode": m, "rate": r, "pattern": p, "accuracy": s, "macro_f1": 0.0}
                for (m, r, p), s in zip(modes, scores, strict=True)
            ],
        }

    summary = {
        "entrants": [entrant("maestro", [0.1, 0.2]), entrant("maestro-trusted", [0.3, 0.4])],
        "published": {"dataset": "DaliaHAR"},
    }
    found = paper_marks("prior-mask", "dalia-har", summary)
    assert [m["ours"] for m in found] == [0.1, 0.2, None, 0.4]
    (table,) = mark_tables({**summary, "marks": found})
    assert list(table.rows[1])[1:] == ["Accuracy", ".85", ".200", "MAESTRO"]
    assert list(table.rows[2])[3] == "–"
    assert paper_marks("prior-mask", "utd-mhad", summary) == []


def test_products_of_the_paper_are_of_one_window() -> None:
    rows = {"conditions": [{"mode": "modality", "rate": 0.0, "accuracy": 0.5}]}
    counted = {"costs": {"conditions": [{"macs": 96e6}]}}
    summary = {"entrants": [{"name": "maestro-paper", **rows, **counted}]}
    found = {(m["what"], m["metric"]): m for m in paper_marks("cost", "wesad", summary)}
    mark = found["MAESTRO", "mmac"]
    assert mark["paper"] == pytest.approx(95.8, abs=0.05)
    assert mark["ours"] == 96.0
    assert found["MAESTRO", "accuracy"]["ours"] == 0.5
