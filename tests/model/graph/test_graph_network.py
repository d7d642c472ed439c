"""The graph gives the network's logits, whatever the recipe and whatever is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.graph.members import graph_of
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

SCHEMA = Schema(
    [
        Modality("acc", 3, 32.0),
        Modality("age", 1, static=True),
        Modality("bvp", 1, 64.0),
        Modality("eda", 2, 4.0),
    ]
)

VARIED = {"varied": True}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("tiny", {}),
    ("default", {}),
    ("default", {"budget.fusion_beta": 8.0}),
    ("tiny", {"model.members": 3, **VARIED}),
    (
        "tiny",
        {"model.linear_member": True, "symbols.dictionary": 1, "symbols.course": True, **VARIED},
    ),
    ("paper", {}),
    ("paper", {"model.absent": "token"}),
    ("paper", {"model.absent": "none", **VARIED}),
    ("tiny", {"model.absent": "symbols", **VARIED}),
    ("tiny", {"model.absent": "none", **VARIED}),
    ("tiny", {"model.fusion_distil": True, "model.fusion_layers": 3, **VARIED}),
    ("tiny", {"model.encoder_distil": False, "model.encoder_layers": 2}),
    ("tiny", {"model.encoder_layers": 0, "model.fusion_layers": 0}),
    ("tiny", {"model.encoder": "shared", "model.encoder_layers": 2}),
    ("tiny", {"model.attention": "dense", "model.fusion_distil": True}),
    ("tiny", {"experts.top_k": 2, "experts.count": 3, "experts.shared_multiple": 2.0}),
    ("tiny", {"experts.placement": "head"}),
    ("tiny", {"experts.placement": "none"}),
    ("tiny", {"budget.rule": "paper", "budget.beta": 2.0}),
    ("tiny", {"budget.rule": "code", "budget.beta": 1.5, "model.absent": "symbols"}),
    ("tiny", {"budget.rule": "fixed", "budget.beta": 1.3}),
    ("tiny", {"budget.beta": 0.7, "budget.fusion_beta": 1.3}),
    ("tiny", {"budget.beta": 0.7, "budget.fusion_beta": 3.1}),
    ("tiny", {"symbols.embedding": "table", "symbols.summary": False}),
    ("tiny", {"symbols.embedding": "id", "symbols.tokens": 7}),
    ("tiny", {"symbols.tokens": 1, "model.fusion_distil": True}),
    ("tiny", {"symbols.dictionary": 1}),
    ("tiny", {"symbols.dictionary": 2, "model.encoder": "shared", "model.members": 2}),
    ("tiny", {"symbols.dictionary": 1, "symbols.tokens": 4, "model.absent": "symbols"}),
]


def build(recipe: str, varied: bool = False, **settings: Any) -> Network:
    """A network in float64 in which nothing is at its first value."""
    rng = np.random.default_rng(0)
    arrays = {
        m.name: rng.normal(size=(8, round(2 * (m.rate_hz or 0.5)), m.channels)) for m in SCHEMA
    }
    windows = Windows.from_arrays(arrays, SCHEMA, duration_s=2.0)
    chosen = load_recipe(recipe).override(settings)
    front_end = build_front_end(chosen).fit(windows)
    assert isinstance(front_end, SymbolFrontEnd)
    front_end.symbolizer.statistics_["duration"][2] = varied
    torch.manual_seed(0)
    network = build_network(front_end, 3, chosen).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            scale = 0.2 if name.endswith("mixer.bias") else 0.1
            tensor += scale * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
    return network


def drawn(given: Network, rows: int, seed: int) -> Batch:
    """Random symbols; the first window has everything, then one sensor, nothing, all but one."""
    network = members_of(given, Maestro)[0]
    generator = torch.Generator().manual_seed(seed)
    present = torch.rand(rows, len(SCHEMA), generator=generator) < 0.6
    alone = torch.eye(len(SCHEMA), dtype=torch.bool)[seed % len(SCHEMA)]
    fixed = torch.stack([torch.ones_like(alone), alone, torch.zeros_like(alone), ~alone])
    present[: len(fixed)] = fixed[:rows]
    alphabet = network.recipe.symbols.alphabet

    def draw(there: Tensor, *shape: int) -> Tensor:
        symbols = torch.randint(0, alphabet + 1, (rows, *shape), generator=generator).byte()
        return torch.where(there.view(-1, *[1] * len(shape)), symbols, 0).byte()

    inputs = {
        s.name: draw(present[:, m], s.length, s.channels, s.views)
        for m, s in enumerate(network.shapes)
    }
    extras = {
        f"summary/{s.name}": draw(present[:, m], s.channels, s.summary)
        for m, s in enumerate(network.shapes)
    }
    for m, s in enumerate(network.shapes):
        if s.words:
            words = draw(present[:, m], s.length, s.words)
            gone = torch.rand(rows, s.length, 1, generator=generator) < 0.2
            gone |= ~present[:, m, None, None]
            extras[f"words/{s.name}"] = torch.where(gone, 0, words.clamp(min=1)).byte()
    return Batch(
        inputs=inputs,
        valid={},
        present=present,
        host_present=present,
        index=torch.arange(rows),
        extras=extras | {"duration": draw(torch.ones(rows, dtype=torch.bool))},
    )


@pytest.mark.parametrize(("recipe", "settings"), CASES, ids=lambda v: str(v))
def test_the_graph_gives_the_networks_logits(recipe: str, settings: dict[str, Any]) -> None:
    network = build(recipe, **settings)
    graph = graph_of(network)
    seen = []
    for rows, seed in ((5, 0), (1, 1), (7, 2)):
        batch = drawn(network, rows, seed)
        with torch.no_grad():
            expected, found = network(batch).logits, graph(*graph.arguments(batch))
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
        seen.append(expected)
    assert torch.cat(seen).std(dim=0).min() > 1e-3  # windows do differ


def test_what_is_behind_an_absent_modality_does_not_matter() -> None:
    network = build("default")
    graph, batch = graph_of(network), drawn(network, 5, 0)
    junk = {
        name: torch.where(batch.present[:, m].view(-1, 1, 1, 1), symbols, 7).byte()
        for m, (name, symbols) in enumerate(batch.inputs.items())
    }
    assert not torch.equal(junk["acc"], batch.inputs["acc"])
    with torch.no_grad():
        clean = graph(*graph.arguments(batch))
        poisoned = graph(*graph.arguments(replace(batch, inputs=junk)))
    assert torch.equal(clean, poisoned)


def test_inputs_are_named_in_order() -> None:
    graph = graph_of(build("tiny", varied=True))
    symbols = tuple(f"symbols/{name}" for name in SCHEMA.names)
    summaries = ("summary/acc", "summary/bvp", "summary/eda")  # a static one is its own
    assert graph.inputs == (*symbols, *summaries, "duration", "present")


def test_a_network_in_training_has_no_graph() -> None:
    with pytest.raises(ConfigError, match=r"in training.*eval"):
        graph_of(build("tiny").train())
