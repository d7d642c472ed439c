"""Golden windows of samples: every kind of absence, some with gaps, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_network
from maestro_ts.deploy.golden import Golden, patterns
from maestro_ts.deploy.golden_samples import golden_samples
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.graph.members import graph_of
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import random_windows

TRAINING = random_windows({"acc": 32.0, "bvp": 64.0}, 12)
RECIPE = load_recipe("tiny").override({"symbols.dictionary": 1})
FRONT_END = SymbolFrontEnd(RECIPE.symbols).fit(TRAINING)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return build_network(FRONT_END, 3, RECIPE).eval()


@pytest.fixture(scope="module")
def golden(network: Network) -> Golden:
    graph = SampleGraph(FRONT_END.symbolizer, graph_of(network), 2.0)
    return golden_samples(network, graph, FRONT_END, 2.0)


def windows_of(golden: Golden) -> Windows:
    arrays = {name: x.numpy() for name, x in zip(("acc", "bvp"), golden.given, strict=True)}
    return Windows.from_arrays(arrays, TRAINING.schema, duration_s=2.0)


def test_they_have_every_kind_of_absence(golden: Golden) -> None:
    np.testing.assert_array_equal(windows_of(golden).present, patterns(2))


def test_some_have_gaps_in_one_channel_and_in_all(golden: Golden) -> None:
    lost = golden.given[1].isnan()
    whole = lost.all(dim=1).all(dim=1)
    apart = (lost[..., 0] & ~lost[..., 1]).any(dim=1)
    both = (lost.all(dim=2) & ~whole[:, None]).any(dim=1)
    for kind in (apart, both, ~whole & ~lost.flatten(1).any(dim=1)):
        assert 0 < int(kind.sum()) < len(kind)


def test_they_are_like_the_training_windows(golden: Golden) -> None:
    symbols = FRONT_END(windows_of(golden)).inputs["bvp"]
    assert len(symbols.unique()) > 15


def test_what_the_model_says_of_them_comes_along(golden: Golden, network: Network) -> None:
    with torch.no_grad():
        expected = network(FRONT_END(windows_of(golden))).logits
    torch.testing.assert_close(golden.logits, expected, rtol=0, atol=1e-6)


def test_they_are_the_same_each_time(golden: Golden, network: Network) -> None:
    graph = SampleGraph(FRONT_END.symbolizer, graph_of(network), 2.0)
    again = golden_samples(network, graph, FRONT_END, 2.0)
    for one, other in zip(
        (*golden.given, golden.logits), (*again.given, again.logits), strict=True
    ):
        assert torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0))
