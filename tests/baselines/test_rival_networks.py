"""What an absent modality is to each network, and what members learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from maestro_ts.baselines.flexmoe import combinations_of
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError
from maestro_ts.experiments.entrants import ENTRANTS, recipe_of
from maestro_ts.experiments.network_entrants import NETWORKS
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import many_rates, random_windows

SMALL: dict[str, dict[str, Any]] = {
    "transformer": {"width": 8, "heads": 2, "feed_forward": 8},
    "resnet1d": {"width": 4},
    "inceptiontime": {"width": 4, "kernel": 9},
    "late-fusion": {"width": 8},
    "itransformer": {"width": 8, "heads": 2, "feed_forward": 8},
    "lrtf": {"width": 8},
    "masked-token-transformer": {"width": 8, "heads": 2, "feed_forward": 8},
    "shaspec": {"width": 8},
    "flexmoe": {"width": 8, "heads": 2, "feed_forward": 8, "patches": 4, "experts": 4},
    "mult": {"width": 4, "heads": 2},
    "fusemoe": {"width": 8, "heads": 2, "feed_forward": 8, "expert_width": 8},
    "gru-d": {"width": 8},
}


def built(model: str, windows: Windows, **own: Any) -> tuple[Network, Batch]:
    """A network whose weights are all drawn, those too that begin as 0; and its batch."""
    settings = {"grid_hz": 4.0, "grid_steps": 20, **SMALL[model], **own}
    recipe = Recipe(model_kind=model, rival=settings)
    front_end = build_front_end(recipe).fit(windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(front_end, 3, recipe).eval()
        with torch.no_grad():
            for p in network.parameters():
                p.add_(0.05 * torch.randn_like(p))
    return network, front_end(windows)


def with_mean(batch: Batch, name: str, m: int, *, there: bool) -> Batch:
    """The modality is 0 throughout: there, or not."""
    present = batch.present.clone()
    present[:, m] = there
    return replace(
        batch,
        inputs={**batch.inputs, name: torch.zeros_like(batch.inputs[name])},
        valid={**batch.valid, name: torch.full_like(batch.valid[name], there)},
        present=present,
        host_present=present,
    )


@pytest.mark.parametrize("model", SMALL)
def test_absence_is_told_from_the_mean_unless_it_is_not_to_be(
    model: str, shaken: Callable[..., Windows]
) -> None:
    windows = shaken(6)
    for way in ("native", "zero"):
        network, batch = built(model, windows, absent=way)
        with torch.no_grad():
            logits = [
                network(with_mean(batch, "acc", 0, there=there)).logits for there in (True, False)
            ]
        assert torch.allclose(*logits, atol=1e-6) == (way == "zero")


@pytest.mark.parametrize("model", SMALL)
def test_windows_have_embeddings(model: str, shaken: Callable[..., Windows]) -> None:
    network, batch = built(model, shaken(6))
    pooled = network.pooled(batch)
    assert pooled.shape[0] == 6
    assert pooled.std(dim=0).any()


def test_members_of_late_fusion_do_not_see_each_other(shaken: Callable[..., Windows]) -> None:
    network, batch = built("late-fusion", shaken(6))
    whole = network(batch).members
    less = network(with_mean(batch, "acc", 0, there=False)).members
    assert whole is not None
    assert less is not None
    assert torch.equal(whole[1:], less[1:])
    less.square().sum().backward()
    for name, p in network.named_parameters():
        learns = p.grad is not None and bool(p.grad.any())
        assert learns == (name.split(".")[1] != "0"), name


def test_members_of_inceptiontime_differ_and_are_averaged(
    shaken: Callable[..., Windows],
) -> None:
    network, batch = built("inceptiontime", shaken(6), members=2)
    out = network(batch)
    assert out.members is not None
    assert not torch.allclose(out.members[0], out.members[1])
    mean = out.members.softmax(dim=2).mean(dim=0)
    torch.testing.assert_close(out.logits.softmax(dim=1), mean)


def test_shared_features_stand_for_what_is_absent(shaken: Callable[..., Windows]) -> None:
    network, batch = built("shaspec", shaken(6))
    features, shared, _, there = network._features(with_mean(batch, "acc", 0, there=False))
    assert there.tolist() == [[False, True, True]] * 6
    torch.testing.assert_close(features[:, 0], shared[:, 1:].mean(dim=1))
    network.train()
    loss = network(batch).aux_loss
    assert loss is not None
    assert float(loss.detach()) > 0
    assert network.eval()(batch).aux_loss is None


def test_combinations_that_lack_least_have_experts_of_their_own(
    shaken: Callable[..., Windows],
) -> None:
    assert combinations_of(3, 4).int().tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert combinations_of(1, 4).shape == (0, 1)
    network, _ = built("flexmoe", shaken(6))
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    assert network._experts_of(present).tolist() == [0, 2, 3, 1]


def test_the_product_begins_near_one_with_many_modalities() -> None:
    network, batch = built("lrtf", random_windows(many_rates(17), 8), width=32)
    pooled = network.pooled(batch).detach()
    assert 0.05 < float(pooled.abs().median()) < 20.0


def test_widths_that_heads_do_not_divide_are_refused() -> None:
    recipe = Recipe(model_kind="transformer", rival={"width": 10, "heads": 4})
    with pytest.raises(ConfigError, match="width=10 must be divisible by heads=4"):
        build_front_end(recipe)


@pytest.mark.parametrize("name", [n for k in NETWORKS for n in (k, f"{k}-plain")])
def test_entrants_have_a_training_of_their_own(name: str) -> None:
    title, recipe = recipe_of(name, {}, "default", {})
    build_front_end(recipe)  # its own settings are known
    assert recipe.training.weight_decay == 1e-4
    assert not recipe.augmentation.applies(1)
    assert (recipe.curriculum.modality_max == 0.0) == name.endswith("-plain")
    assert title in {e.title for e in ENTRANTS.values()}
