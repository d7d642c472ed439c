"""The yardstick is what it says it is: the published size, cost and symbols."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from maestro_ts.contract.registry import build_front_end
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from published import Published, Shape, multiply_accumulates, symbols_by_loop

SHAPE = Shape()


@pytest.fixture(scope="module")
def network() -> Published:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Published(SHAPE).eval()


def numbers(n: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randint(0, 20, (n, SHAPE.tokens, c), generator=generator).float()
        for c in SHAPE.channels
    ]


def test_it_has_exactly_the_published_parameters(network: Published) -> None:
    assert sum(p.numel() for p in network.parameters()) == 1_387_239


def test_it_costs_the_published_operations(network: Published) -> None:
    assert multiply_accumulates(SHAPE) / 1e6 == pytest.approx(95.97, abs=0.01)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(numbers(1), torch.ones(10))
    assert counter.get_total_flops() / 2e6 == pytest.approx(95.97, rel=0.01)


def test_its_gate_has_no_gradient(network: Published) -> None:
    network(numbers(2), torch.ones(10)).sum().backward()
    assert all(p.grad is None for p in network.gate.parameters())
    assert network.inputs[0].weight.grad is not None
    network.zero_grad()


def test_its_symbols_are_those_of_the_shape_view() -> None:
    """So that both sides of a timing do the same work."""
    values = np.random.default_rng(0).normal(size=(5, 1024, 2)).astype(np.float32)
    windows = Windows.from_arrays({"a": values}, [Modality("a", 2, 128.0)], duration_s=8.0)
    front_end = build_front_end(load_recipe("paper").override({"symbols.interpolate_hz": None}))
    found = front_end.fit(windows)(windows).inputs["a"][..., 0].numpy()
    assert found.shape == (5, 128, 2)
    # The loop counts from 0 as the public script does, ours from 1: 0 is missing.
    assert np.array_equal(found, symbols_by_loop(values, 128) + 1)
