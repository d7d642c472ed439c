"""What a model costs, told from windows that are drawn and not read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.evaluation.cost import count_macs, count_parameters
from maestro_ts.experiments import cost_job
from maestro_ts.experiments.cost_job import timed
from maestro_ts.experiments.costs import absences, cost_of
from maestro_ts.experiments.drawn_windows import drawn_batches, drawn_windows
from maestro_ts.experiments.pass_memory import forget, resident
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import keep, many_rates, random_windows


def build(windows: Windows, **changes: Any) -> tuple[FrontEnd, Network]:
    recipe = load_recipe("tiny").override({k.replace("__", "."): v for k, v in changes.items()})
    front_end = build_front_end(recipe).fit(windows)
    return front_end, build_network(front_end, 3, recipe)


def test_costs_of_the_fullest_window() -> None:
    rates = {"a": 32.0, "b": 4.0, "c": 16.0, "d": 16.0}
    some = np.array([[True, False, False, False], [True, True, False, True]])
    windows = keep(random_windows(rates, 2), some)
    front_end, network = build(windows)
    cost = cost_of(front_end, network, windows)
    assert cost["parameters"] == count_parameters(network)
    assert cost["macs_full"] == count_macs(network, front_end(windows[[1]]))
    assert sum(cost["macs_by_component"].values()) == cost["macs_full"]
    assert [r["missing"] for r in cost["macs_by_missing"]] == [0, 1, 2]
    assert [r["patterns"] for r in cost["macs_by_missing"]] == [1, 3, 3]  # of a, b and d
    window = absences(front_end, windows[[1]])
    alone = [count_macs(network, window([name])) for name in "abd"]
    assert cost["macs_by_missing"][2] == {
        "missing": 2,
        "patterns": 3,
        "macs": sum(alone) / 3,
        "lowest": min(alone),
        "highest": max(alone),
    }
    assert cost["tokens"] == {"a": 8, "b": 4, "c": 8, "d": 8}


def test_windows_without_anything_have_no_cost_but_parameters() -> None:
    windows = random_windows({"a": 32.0}, 2)
    front_end, network = build(windows)
    cost = cost_of(front_end, network, keep(windows, np.array([False])))
    assert (cost["macs_full"], cost["macs_by_missing"]) == (0, [])
    assert cost["parameters"] == count_parameters(network)


def test_fitting_counts_few_patterns_of_many_modalities() -> None:
    windows = random_windows(many_rates(7), 2)
    rows = cost_of(*build(windows, symbols__tokens=2), windows)["macs_by_missing"]
    assert [r["patterns"] for r in rows] == [1, *[4] * 6]
    assert all(r["lowest"] <= r["macs"] <= r["highest"] for r in rows)


# ------------------------------------------------------------- drawn windows


def test_drawn_windows_have_every_kind_of_modality(mixed_windows: Callable[..., Windows]) -> None:
    real = mixed_windows(losses=False)
    drawn = drawn_windows(real.schema, 8.0, 3)
    assert drawn.schema == real.schema
    assert drawn.present.all()
    assert drawn.duration_s.tolist() == [8.0] * 3
    for name in ("acc", "ecg", "eda", "age"):
        assert drawn.samples[name].lengths.tolist() == real.samples[name].lengths[:3].tolist()
    front_end, network = build(real)
    batch_of = drawn_batches(front_end, 8.0, 1)
    # Dense: no figure depends on what the windows hold.
    assert count_macs(network, batch_of(real.schema.names)) == count_macs(
        network, front_end(real[[0]])
    )


def test_drawn_symbols_are_spread_evenly_and_stay_missing() -> None:
    windows = random_windows({"a": 32.0, "b": 32.0}, 4)
    far = {"a": 1e3 + np.zeros((2, 64, 1)), "b": 1e3 + np.zeros((2, 64, 2))}
    front_end, _ = build(
        Windows.from_arrays(far, windows.schema), symbols__tokens=16, symbols__dictionary=1
    )
    batch_of = drawn_batches(front_end, 2.0, 200)
    whole, less = batch_of(["a", "b"]), batch_of(["a"])
    for symbols in (whole.inputs["b"], whole.extras["summary/b"], whole.extras["words/b"]):
        often = torch.bincount(symbols.flatten().int(), minlength=21)
        assert often[0] == 0
        assert often[1:].min() > 0.6 * often[1:].float().mean()
        assert often[1:].max() < 1.5 * often[1:].float().mean()
    assert torch.equal(less.inputs["a"], whole.inputs["a"])
    assert less.present.tolist() == [[True, False]] * 200
    assert not less.inputs["b"].any()
    assert not less.extras["summary/b"].any()
    assert not less.extras["words/b"].any()


def test_values_of_another_front_end_stay_as_drawn() -> None:
    schema = random_windows({"a": 8.0}, 1).schema

    def collate(prepared: Windows, rows: Any, mask: Any) -> Any:
        return prepared.samples["a"].read() * mask.keep[0, 0]

    other: Any = SimpleNamespace(schema=schema, prepare=lambda w: w, collate=collate)
    batch_of: Any = drawn_batches(other, 2.0, 1)
    assert np.array_equal(batch_of(["a"]), drawn_windows(schema, 2.0, 1).samples["a"].read())
    assert not batch_of([]).any()


# ------------------------------------------------------------ time and memory


def test_a_short_call_is_repeated_and_the_first_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, calls = 0.0, 0

    def call() -> None:
        nonlocal now, calls
        calls += 1
        # Slow when cold, then .03 s; four calls fill a round; the last two rounds are slower.
        now += 9.0 if calls == 1 else 0.03 if calls <= 2 + 3 * 4 else 0.05

    monkeypatch.setattr(cost_job.time, "perf_counter", lambda: now)
    found = timed(call, rounds=5)
    assert calls == 2 + 5 * 4
    assert found.median_s == pytest.approx(0.03)
    assert (found.low_s, found.high_s) == (pytest.approx(0.03), pytest.approx(0.05))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak cannot be reset")
def test_memory_that_was_given_back_still_counts() -> None:
    size = 64 * 2**20
    held = np.ones(2 * size, dtype=np.uint8)  # an earlier, higher peak that is no longer asked for
    del held
    forget()
    before = resident()
    assert before is not None
    for _ in range(2):
        block = np.ones(size, dtype=np.uint8)
        del block
    peak, now = resident(peak=True), resident()
    assert peak is not None
    assert now is not None
    assert peak - before == pytest.approx(size, rel=0.1)
    assert now - before < size / 4
