from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from maestro_ts.contract.registry import build_network
from maestro_ts.model.adoption import adopt
from maestro_ts.model.freezing import Frozen
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import keep, random_windows

RATES = {"acc": 32.0, "bvp": 64.0, "eda": 4.0}  # 8, 8 and 4 tokens
NEW = {"aaa": 32.0, "temp": 1.0}  # before the others and after; 8 tokens and 2
# Selection in the fusion depends on how many tokens there can be.
ALL = {"budget.fusion_beta": 40.0, "model.absent": "none"}


def pair(
    settings: dict[str, Any] = ALL, rates: dict[str, float] = RATES, new: dict[str, float] = NEW
) -> tuple[Maestro, Maestro, SymbolFrontEnd, SymbolFrontEnd, Windows]:
    """A network of some modalities, one of more, their front ends, windows of the second."""
    recipe = load_recipe("tiny").override(settings)
    joint = random_windows(rates | new, 6)
    known = joint.select(list(rates))
    small = SymbolFrontEnd(recipe.symbols).fit(known)
    large = SymbolFrontEnd(recipe.symbols).fit(known)
    large.symbolizer.extend(joint)
    networks = []
    for seed, front_end in ((0, small), (1, large)):
        torch.manual_seed(seed)
        network = build_network(front_end, 3, recipe)
        assert isinstance(network, Maestro)
        networks.append(network.double().eval())
    with torch.no_grad():  # as if trained: a gate starts at zero
        for p in networks[0].parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return networks[0], networks[1], small, large, joint


def test_the_same_modalities_take_everything_exactly() -> None:
    old, new, *_ = pair(new={})
    taken = adopt(new, old, head=True)
    assert taken.keys() == new.state_dict().keys()
    assert all(mask.all() for mask in taken.values())
    for name, value in new.state_dict().items():
        assert torch.equal(value, old.state_dict()[name]), name


def test_without_the_head_it_stays_as_drawn() -> None:
    old, new, *_ = pair(new={})
    before = {k: v.clone() for k, v in new.state_dict().items() if k.startswith("head.")}
    taken = adopt(new, old, head=False)
    assert before
    assert all(torch.equal(new.state_dict()[k], v) for k, v in before.items())
    assert not any(name.startswith("head.") for name in taken)


@pytest.mark.parametrize(
    "settings",
    [
        ALL,
        ALL | {"model.encoder": "shared"},
        ALL
        | {"model.encoder_layers": 2, "symbols.embedding": "table", "experts.placement": "none"},
        ALL | {"budget.rule": "fixed", "symbols.summary": False},
        ALL | {"symbols.dictionary": 1},
    ],
    ids=["default", "shared encoder", "tables", "no gate", "words"],
)
def test_windows_without_the_added_modalities_are_answered_as_before(
    settings: dict[str, Any],
) -> None:
    old, new, small, large, joint = pair(settings)
    adopt(new, old, head=True)
    without = keep(joint, np.array([name in RATES for name in joint.schema.names]))
    partly = keep(joint, np.array([name == "bvp" for name in joint.schema.names]))
    for given in (without, partly):
        with torch.no_grad():
            before = old(small(given.select(list(RATES)))).logits
            after = new(large(given)).logits
        torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-11)
    with torch.no_grad():
        assert not torch.allclose(new(large(joint)).logits, before)


def test_statistics_of_known_modalities_stay_and_new_ones_are_those_of_a_fit() -> None:
    _, _, small, large, joint = pair()
    alone = SymbolFrontEnd(load_recipe("tiny").symbols).fit(joint)
    known, state = small.state(), large.state()
    for name, value in state.items():
        if name == "lengths":
            continue
        source = known if name in known else alone.state()
        assert np.array_equal(value, source[name]), name
    assert large.symbolizer.lengths_ == alone.symbolizer.lengths_
    restored = SymbolFrontEnd(load_recipe("tiny").symbols).restore(joint.schema, state)
    assert restored.symbolizer.lengths_ == large.symbolizer.lengths_


def test_a_longer_table_of_positions_serves_old_streams_as_before() -> None:
    old, new, small, large, joint = pair(
        rates={"eda": 4.0, "spot": 2.0}, new={"acc": 32.0}, settings=ALL
    )
    assert len(new.position) > len(old.position)
    adopt(new, old, head=True)
    without = keep(joint, np.array([name != "acc" for name in joint.schema.names]))
    with torch.no_grad():
        before = old(small(without.select(["eda", "spot"]))).logits
        torch.testing.assert_close(new(large(without)).logits, before, rtol=1e-9, atol=1e-11)


def test_frozen_parts_stay_to_the_last_bit_and_the_rest_is_trained() -> None:
    old, new, _, large, joint = pair(
        ALL | {"model.absent": "token", "experts.balance": "loss_free"}
    )
    taken = adopt(new, old, head=False)
    new.frozen = Frozen(new, taken)
    before = {name: value.clone() for name, value in new.state_dict().items()}
    optimizer = torch.optim.AdamW(new.parameters(), lr=0.05, weight_decay=0.5)
    new.train()
    some = keep(joint, np.array([name != "aaa" for name in joint.schema.names]))
    for given in (joint, some, joint):
        loss = new(large(given)).logits.square().sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        new.after_step()
    for name, value in new.state_dict().items():
        stays = taken.get(name, torch.zeros(value.shape, dtype=torch.bool))
        assert torch.equal(value[stays], before[name][stays]), name
    index = Schema(joint.schema).index("aaa")
    for name in ("modality", "missing"):
        assert not torch.equal(new.state_dict()[name][index], before[name][index])
    for name in (f"embeddings.{index}.map.weight", "head.layers.0.weight"):
        assert not torch.equal(new.state_dict()[name], before[name])
    encoder = new.state_dict()["encoders.2.0.attention.project.weight"]
    assert not torch.equal(encoder[0], before["encoders.2.0.attention.project.weight"][0])
