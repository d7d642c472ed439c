"""What is counted is what the formulas of the method say, component by component."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from slow_cost import formulas

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.evaluation.cost import count_components, count_macs
from maestro_ts.experiments.costs import absences
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import random_windows

CLASSES = 5
ONE, TWO = {"a": 32.0}, {"a": 32.0, "b": 32.0}
THREE = {"a": 32.0, "b": 11.0, "c": 32.0}  # two of one length, which run stacked
SPARSE = {"budget.beta": 2.0, "symbols.tokens": 21}


@pytest.fixture
def classes_of_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a batch that is large enough for budget classes of its own."""
    monkeypatch.setattr("maestro_ts.model.attention.WORTH", 1)


def build(
    rates: dict[str, float], changes: dict[str, Any], windows: Windows | None = None
) -> tuple[Maestro, Callable[[Sequence[str]], Batch]]:
    """A network whose budgets differ, and a window with the modalities that are named."""
    windows = windows or random_windows(rates, 3, gaps=False)
    recipe = load_recipe("tiny").override(changes)
    front_end = build_front_end(recipe).fit(windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(front_end, CLASSES, recipe)
        assert isinstance(network, Maestro)
        if recipe.budget.rule == "fractional":
            with torch.no_grad():
                network.budget.utility.normal_(0.0, 3.0)
    return network.eval(), absences(front_end, windows[[0]])


def counted_and_calculated(
    rates: dict[str, float], changes: dict[str, Any], present: str
) -> tuple[dict[str, int], dict[str, int]]:
    network, window = build(rates, changes)
    batch = window(present)
    with torch.no_grad():
        budgets = network(batch).budgets[0].tolist()
    named = dict(zip(rates, budgets, strict=True))
    counted = count_components(network, batch)
    assert sum(counted.values()) == count_macs(network, batch)
    return counted, formulas(network, present, named, CLASSES)


@pytest.mark.parametrize(
    ("rates", "changes", "present"),
    [
        (ONE, {}, "a"),
        (ONE, {"symbols.tokens": 1}, "a"),
        (ONE, {"symbols.tokens": 2}, "a"),
        (TWO, SPARSE, "ab"),
        (TWO, SPARSE | {"symbols.tokens": 20, "model.encoder_layers": 2}, "ab"),
        (THREE, SPARSE, "abc"),
        (THREE, SPARSE, "ab"),
        (THREE, SPARSE, "b"),
        (THREE, SPARSE, ""),
        (THREE, SPARSE | {"model.absent": "none"}, "ac"),
        (THREE, SPARSE | {"model.absent": "symbols"}, "ac"),
        (THREE, SPARSE | {"budget.rule": "fixed", "budget.fusion_beta": 1.5}, "abc"),
        (THREE, SPARSE | {"budget.rule": "paper", "budget.start": 0.7}, "abc"),
        (THREE, SPARSE | {"budget.rule": "code", "model.absent": "symbols"}, "ab"),
        (THREE, SPARSE | {"model.encoder": "shared", "budget.rule": "fixed"}, "abc"),
        (THREE, {"model.attention": "dense", "model.fusion_distil": True}, "bc"),
        (THREE, {"model.fusion_layers": 2, "model.encoder_distil": False}, "abc"),
        (TWO, {"experts.count": 3, "experts.top_k": 2, "experts.shared_multiple": 0.5}, "ab"),
        (TWO, {"experts.placement": "none", "model.feed_forward_multiple": 3.0}, "ab"),
        (TWO, {"experts.placement": "head"}, "a"),
        (TWO, {"symbols.embedding": "id", "symbols.summary": False}, "ab"),
        (TWO, {"symbols.embedding": "table"}, "ab"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("classes_of_one_window")
def test_counted_as_calculated(
    rates: dict[str, float], changes: dict[str, Any], present: str
) -> None:
    counted, calculated = counted_and_calculated(rates, changes, present)
    assert counted == calculated


def test_one_window_is_counted_with_the_largest_budget_of_those_that_run_together() -> None:
    network, window = build(THREE, SPARSE)
    batch = window("abc")
    with torch.no_grad():
        budgets = dict(zip(THREE, network(batch).budgets[0].tolist(), strict=True))
    largest = budgets | dict.fromkeys("ac", max(budgets["a"], budgets["c"]))
    assert budgets != largest
    assert count_components(network, batch) == formulas(network, "abc", largest, CLASSES)


def test_the_budgets_of_the_cases_differ() -> None:
    """Or the formulas would be tested at one number of queries."""
    network, window = build(THREE, SPARSE)
    with torch.no_grad():
        budgets = network(window("abc")).budgets[0]
    assert float(budgets.max() - budgets.min()) > 0.3


def test_an_absent_modality_costs_nothing_in_the_encoders() -> None:
    changes = SPARSE | {"budget.rule": "fixed"}  # so that a budget does not know of the others
    network, window = build(THREE, changes)

    def encoders(present: str) -> dict[str, int]:
        parts = count_components(network, window(present))
        return {k: v for k, v in parts.items() if k.startswith("encoders")}

    whole, alone = encoders("abc"), [encoders(name) for name in "abc"]
    assert all(whole.values())
    assert whole == {k: sum(part[k] for part in alone) for k in whole}
    two = encoders("ac")
    assert two == {k: whole[k] - alone[1][k] for k in whole}
    assert encoders("") == {}


def test_a_duration_is_one_more_token() -> None:
    windows = random_windows(TWO, 4, gaps=False)
    longer = windows.replace(duration_s=windows.duration_s * [1.0, 2.0, 1.0, 2.0])
    network, window = build(TWO, {"budget.rule": "fixed"}, longer)
    assert network.duration is not None
    dense = dict.fromkeys(TWO, 5.0)
    counted = count_components(network, window("ab"))
    assert counted == formulas(network, "ab", dense, CLASSES, duration=True)
    assert counted != formulas(network, "ab", dense, CLASSES)
