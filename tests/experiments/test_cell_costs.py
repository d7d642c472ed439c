"""Costs of a cell: counted at every rate, in a process of its own for the memory."""

from __future__ import annotations

import numpy as np
import torch

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.cost import count_macs
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments import cost_job
from maestro_ts.experiments.cell_costs import cell_costs, mean_costs
from maestro_ts.recipe import load_recipe
from maestro_ts.report.experiment_costs import cost_tables
from maestro_ts.testing.windows_generator import many_rates, random_windows

CONDITIONS = [Condition("modality", rate) for rate in (0.0, 0.5)]


def test_products_time_and_memory_of_every_condition(monkeypatch) -> None:
    monkeypatch.setattr(cost_job, "ROUND_S", 1e-4)
    windows = random_windows(many_rates(4), 20)
    recipe = load_recipe("tiny").override({"training.epochs": 1})
    clf = MaestroClassifier(recipe=recipe, random_state=0).fit(windows)
    threads = torch.get_num_threads()
    found = cell_costs(clf, windows, CONDITIONS)
    assert torch.get_num_threads() == threads
    assert found["windows"] == 20
    for row, condition in zip(found["conditions"], CONDITIONS, strict=True):
        macs = count_macs(clf.network_, clf.front_end_(condition.seen(windows)))
        assert row["macs"] == macs / 20
        assert 0 < row["network_s"] < 1
        assert 0 < row["front_end_s"] < 1
        assert row["added_bytes"] is None or row["added_bytes"] >= 0
    full, half = (row["macs"] for row in found["conditions"])
    assert half < 0.8 * full


def test_means_over_cells_say_nothing_where_one_cannot() -> None:
    def cell(macs: float | None, s: float) -> dict[str, object]:
        row = {"macs": macs, "front_end_s": s, "network_s": s, "added_bytes": 8}
        return {"windows": 4, "conditions": [row, row | {"network_s": 2 * s}]}

    found = mean_costs([cell(1.0, 1.0), cell(None, 3.0)])
    assert [r["macs"] for r in found["conditions"]] == [None, None]
    assert [r["network_s"] for r in found["conditions"]] == [2.0, 4.0]


def test_the_table_has_units_and_a_dash_for_what_is_not_counted() -> None:
    def entrant(name: str, macs: float | None, parameters: int) -> dict[str, object]:
        row = {"macs": macs, "front_end_s": 1e-3, "network_s": 2e-3, "added_bytes": 3e6}
        rate = {"mode": "modality", "rate": 0.0, "macro_f1": 0.5, "accuracy": 0.75}
        return {
            "title": name,
            "parameters": parameters,
            "conditions": [rate, rate | {"rate": 0.4}],
            "costs": {"windows": 64, "conditions": [row, row]},
        }

    tables = cost_tables({"entrants": [entrant("net", 4.5e6, 1200), entrant("trees", None, 0)]})
    assert list(tables[0].rows[0]) == [
        "net",
        ".500",
        ".750",
        "1,200",
        "4.50",
        "2.000",
        "1.000",
        "3.0",
    ]
    assert list(tables[0].rows[1])[3:5] == ["–", "–"]
    assert [list(t.head) for t in tables[1:]] == [["", "0", "40 %"]] * 4
    assert cost_tables({"entrants": [{"title": "x"}]}) == []
    assert np.all([t.folded == ("multiply" not in t.title) for t in tables[1:]])
