"""Products of a pass, which `maestro-ts cost` counts, against what the descriptions add up to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_rival_networks import SMALL, built

from maestro_ts.evaluation.cost import count_components, count_macs
from maestro_ts.signals.windows import Windows


@pytest.mark.parametrize("model", SMALL)
def test_every_product_belongs_to_a_component(model: str, shaken: Callable[..., Windows]) -> None:
    network, batch = built(model, shaken(2))
    components = count_components(network, batch)
    assert sum(components.values()) == count_macs(network, batch) > 0


def test_a_convolution_costs_its_weights_at_every_step(shaken: Callable[..., Windows]) -> None:
    network, batch = built("resnet1d", shaken(1))
    weights = sum(p.numel() for p in network.parameters() if p.ndim == 3)
    steps = next(iter(batch.inputs.values())).shape[1]
    assert count_macs(network, batch) == weights * steps + network.head.weight.numel()
