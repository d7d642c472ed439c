from __future__ import annotations

import numpy as np
import pytest
import torch

from maestro_ts import MaestroClassifier
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.recipe import load_recipe
from maestro_ts.testing.windows_generator import FOUR_RATES, random_windows
from maestro_ts.training.precision import in_precision


def network_and_batch():
    given = random_windows(FOUR_RATES, 6)
    recipe = load_recipe("tiny")
    front_end = build_front_end(recipe).fit(given)
    torch.manual_seed(0)
    return build_network(front_end, 3, recipe).eval(), front_end(given)


def test_float32_is_the_network_itself() -> None:
    network, _ = network_and_batch()
    assert in_precision(network, "float32") is network


def test_bfloat16_is_near_and_leaves_the_weights_alone() -> None:
    network, batch = network_and_batch()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        exact, rounded = network(batch), in_precision(network, "bfloat16")(batch)
    assert rounded.logits.dtype == torch.float32
    gap = (exact.logits - rounded.logits).abs().max()
    assert 0 < float(gap) < 0.05 * float(exact.logits.abs().max())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_budgets_are_computed_exactly() -> None:
    network, batch = network_and_batch()
    with torch.no_grad():
        network.budget.utility.normal_(0.0, 3.0)
        out = in_precision(network, "bfloat16")(batch)
    assert out.budgets.dtype == torch.float32
    steps = out.budgets[out.budgets > 0]
    assert bool((steps != steps.bfloat16().float()).any())


def test_gradients_reach_the_weights_in_float32() -> None:
    network, batch = network_and_batch()
    gradients = []
    for precision in ("float32", "bfloat16"):
        network.zero_grad()
        in_precision(network, precision)(batch).logits[:, 0].sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in network.head.parameters()]))
    assert gradients[1].dtype == torch.float32
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.99


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_fit_learns_and_repeats(precision: str) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    windows = rng.normal(size=(40, 64, 1)).astype(np.float32) + y[:, None, None]
    settings = {"model.precision": precision, "training.epochs": 15}
    fits = [
        MaestroClassifier(recipe="tiny", settings=settings, random_state=0).fit(windows, y)
        for _ in range(2)
    ]
    assert fits[0].score(windows, y) > 0.9
    assert np.array_equal(*(fit.predict_proba(windows) for fit in fits))
    assert next(fits[0].network_.parameters()).dtype == torch.float32
