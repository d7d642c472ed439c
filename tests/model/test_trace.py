"""What is told of the inside of the fusion is what the network did."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_maestro import ENCODED, NAMES, PATTERNS, build

from maestro_ts.model.trace import LayerTrace, trace
from maestro_ts.testing.windows_generator import FOUR_RATES, random_windows

SPARSE = {"budget__beta": 1.0, "model__fusion_layers": 2}


def everyone(layer: LayerTrace) -> torch.Tensor:
    """Attention of every token to every other, [N, H, N]."""
    with torch.no_grad():
        return layer.attention.mass(layer.tokens, layer.spans, torch.eye(len(layer.tokens)))


@pytest.mark.parametrize("changes", [{}, SPARSE, {"model__fusion_distil": True, **SPARSE}])
def test_shares_of_attention_give_back_what_the_layer_computed(changes) -> None:
    network, batch = build(**changes)
    for layer in trace(network, batch):
        shares, attention = everyone(layer), layer.attention
        with torch.no_grad():
            packed = attention.project(layer.tokens, [len(layer.tokens)])
            values = packed.view(len(packed), 3, attention.heads, -1)[:, 2]
            mixed = torch.einsum("qhk,khe->qhe", shares, values).flatten(1)
            again = attention.out(mixed, [len(mixed)])
            whole = attention.over(layer.tokens, layer.spans)
        torch.testing.assert_close(again, whole, rtol=1e-4, atol=1e-5)
        assert shares.min() >= 0
        torch.testing.assert_close(shares.sum(dim=2), torch.ones(shares.shape[:2]))


def test_no_attention_leaves_its_window() -> None:
    network, batch = build(**SPARSE)
    for layer in trace(network, batch):
        owner = layer.spans.owner
        assert everyone(layer)[(owner[:, None] != owner)[:, None].expand(-1, 2, -1)].max() == 0


@pytest.mark.parametrize("absent", ["token", "none", "symbols"])
def test_sources_count_the_tokens_of_every_modality(absent: str) -> None:
    network, batch = build(model__absent=absent)
    (layer,) = trace(network, batch)
    counts = torch.zeros(4, 4, dtype=torch.int64)
    counts.index_put_((layer.spans.owner, layer.sources), torch.tensor(1), accumulate=True)
    own = np.array([ENCODED[name] + 1 for name in NAMES])  # and the summary
    missing = np.array([[1] * 4, [1] * 4, [1] * 4, [1] * 4])
    if absent == "symbols":
        expected = np.broadcast_to(own, (4, 4))
    else:
        expected = np.where(PATTERNS, own, missing if absent == "token" else 0)
        expected[3] = 1  # nothing is there: the missing tokens alone
    assert counts.tolist() == expected.tolist()


def test_sources_name_the_modality_whose_vector_a_token_carries() -> None:
    network, batch = build()
    before = trace(network, batch)[0]
    with torch.no_grad():
        network.modality[2] += 5.0
    after = trace(network, batch)[0]
    moved = (before.tokens != after.tokens).any(dim=1)
    assert moved.tolist() == (before.sources == 2).tolist()


def test_the_duration_is_a_source_of_its_own() -> None:
    given = random_windows(FOUR_RATES, 4)
    given.duration_s = given.duration_s * np.array([1.0, 0.9, 0.8, 1.0])
    network, batch = build(given)
    (layer,) = trace(network, batch)
    assert (layer.sources == 4).sum() == 4


def test_choices_of_experts_are_those_of_the_output() -> None:
    network, batch = build(experts__count=3, model__fusion_layers=2)
    with torch.no_grad():
        share = network(batch).expert_share
    for i, layer in enumerate(trace(network, batch)):
        assert layer.chosen is not None
        cells = torch.zeros(4, 3)
        cells.index_put_(
            (layer.chosen_windows, layer.chosen[:, 0]), torch.tensor(1.0), accumulate=True
        )
        torch.testing.assert_close(cells / cells.sum(dim=1, keepdim=True), share[:, i])


def test_distilled_tokens_are_told_apart_by_the_middle_one() -> None:
    network, batch = build(model__fusion_distil=True, model__fusion_layers=2)
    first, second = trace(network, batch)
    assert len(first.chosen) == len(first.chosen_sources) == len(second.sources)
    rows, halved = first.spans.blocks[-1], second.spans.blocks[-1]
    whole = first.sources[rows.first : rows.first + rows.length]
    shorter = second.sources[halved.first : halved.first + halved.length]
    assert shorter.tolist() == whole[::2].tolist()


def test_no_hook_stays() -> None:
    network, batch = build()
    trace(network, batch)
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in network.modules())
