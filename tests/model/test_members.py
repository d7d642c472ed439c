"""Several networks as one: mean outputs, gradients of their own, nothing shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from maestro_ts import MaestroClassifier, Modality
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.cost import count_components, count_macs
from maestro_ts.model.linear import PACE, LinearMember
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import Members, members_of
from maestro_ts.recipe import load_recipe
from maestro_ts.symbols.alphabet import centres
from maestro_ts.testing.windows_generator import FOUR_RATES, keep, mixed_patterns, random_windows
from maestro_ts.training.precision import in_precision

RECIPE = load_recipe("tiny").override({"model.members": 2, "budget.price": 0.01})


@pytest.fixture
def pair() -> tuple[Members, Batch]:
    windows = random_windows(FOUR_RATES, 6)
    front_end = build_front_end(RECIPE).fit(windows)
    torch.manual_seed(0)
    network = build_network(front_end, 3, RECIPE).double()
    assert isinstance(network, Members)
    return network, front_end(windows)


def test_the_answer_is_the_mean_of_the_members(pair: tuple[Members, Batch]) -> None:
    network, batch = pair
    network.eval()
    with torch.no_grad():
        out = network(batch)
        each = [member(batch) for member in network.networks]
    assert not torch.allclose(each[0].logits, each[1].logits)
    torch.testing.assert_close(out.logits, (each[0].logits + each[1].logits) / 2)
    torch.testing.assert_close(out.budgets, (each[0].budgets + each[1].budgets) / 2)
    assert out.members is not None
    torch.testing.assert_close(out.members, torch.stack([e.logits for e in each]))


def test_a_member_learns_as_if_it_were_alone(pair: tuple[Members, Batch]) -> None:
    network, batch = pair
    target = torch.arange(6) % 3
    out = network.train()(batch)  # no dropout in this recipe: nothing is drawn but keys
    assert out.members is not None
    assert out.aux_loss is not None
    loss = sum(F.cross_entropy(logits, target) for logits in out.members) + out.aux_loss
    loss.backward()
    together = [p.grad.clone() for p in network.networks[1].parameters() if p.grad is not None]
    network.zero_grad()
    own = network.networks[1](batch)
    (F.cross_entropy(own.logits, target) + own.aux_loss).backward()
    alone = [p.grad for p in network.networks[1].parameters() if p.grad is not None]
    assert len(together) == len(alone) > 10
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b)


def test_cost_is_counted_for_all_members(pair: tuple[Members, Batch]) -> None:
    network, batch = pair
    one = network.networks[0]
    assert isinstance(one, Maestro)
    assert count_macs(network, batch) == 2 * count_macs(one, batch)
    alone = count_components(one, batch)
    assert count_components(network, batch) == {name: 2 * macs for name, macs in alone.items()}


def test_gates_stay_exact_in_bfloat16(pair: tuple[Members, Batch]) -> None:
    network, batch = pair
    assert network.exact == ("networks.0.budget.", "networks.1.budget.")
    with torch.no_grad():
        rounded = in_precision(network.float().eval(), "bfloat16")(batch)
    assert rounded.budgets is not None
    assert rounded.budgets.dtype == torch.float32


def test_members_are_found_or_refused(pair: tuple[Members, Batch]) -> None:
    network, _ = pair
    assert members_of(network, Maestro) == list(network.networks)
    with pytest.raises(ConfigError, match="another kind"):
        members_of(Network(), Maestro)


def test_members_are_trained_saved_and_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(24) % 2
    x = {"a": rng.normal(size=(24, 40, 1)) + y[:, None, None]}
    settings = {"model.members": 2, "training.epochs": 3}
    clf = MaestroClassifier([Modality("a", rate_hz=20)], recipe="tiny", settings=settings)
    clf.set_params(random_state=0).fit(x, y)
    weights = [dict(n.named_parameters()) for n in clf.network_.networks]
    assert not torch.equal(weights[0]["head.layers.0.weight"], weights[1]["head.layers.0.weight"])
    clf.save(tmp_path / "run")
    again = MaestroClassifier.load(tmp_path / "run")
    assert np.array_equal(again.predict_proba(x), clf.predict_proba(x))


def with_linear(**settings: object) -> tuple[LinearMember, Batch]:
    recipe = load_recipe("tiny").override({"model.linear_member": True, **settings})
    windows = keep(random_windows(FOUR_RATES, 6), mixed_patterns(len(FOUR_RATES), 6))
    front_end = build_front_end(recipe).fit(windows)
    network = build_network(front_end, 3, recipe).double().eval()
    member = members_of(network, LinearMember)[0]
    with torch.no_grad():
        for p in member.parameters():
            p.normal_(generator=torch.Generator().manual_seed(p.numel()))
    return member, front_end(windows)


@pytest.mark.parametrize(("groups", "course"), [(0, False), (1, False), (1, True)])
def test_the_linear_member_is_what_its_formula_says(groups: int, course: bool) -> None:
    member, batch = with_linear(**{"symbols.dictionary": groups, "symbols.course": course})
    with torch.no_grad():
        found = member(batch).logits
    middle = centres(20)
    for i in range(len(batch)):
        expected = member.bias.detach().numpy().copy()
        for m, shape in enumerate(member.shapes):
            if not batch.present[i, m]:
                expected += member.missing[m].detach().numpy()
                continue
            symbols = batch.inputs[shape.name][i].numpy().reshape(shape.length, -1)
            phi = [_over_bins(middle, symbols[:, s]) for s in range(symbols.shape[1])]
            features = [mean for mean, _ in phi] + [deviation for _, deviation in phi]
            features += middle[batch.extras[f"summary/{shape.name}"][i].numpy().ravel()].tolist()
            if shape.words:
                words = batch.extras[f"words/{shape.name}"][i].numpy()
                features += [_over_bins(middle, words[:, f])[0] for f in range(words.shape[1])]
            scaled = PACE / np.sqrt(len(features)) * np.array(features)
            expected += member.maps[m].weight.detach().numpy() @ scaled
        # The table of centres is made in float32.
        np.testing.assert_allclose(found[i].numpy(), expected, rtol=1e-6, atol=1e-6)


def _over_bins(middle: np.ndarray, symbols: np.ndarray) -> tuple[float, float]:
    there = symbols[symbols > 0]
    if not len(there):
        return 0.0, 1e-3  # the root of the floor
    return float(middle[there].mean()), float(np.sqrt(max(middle[there].var(), 1e-6)))


def test_the_linear_member_starts_with_no_opinion_and_costs_little() -> None:
    recipe = load_recipe("tiny").override({"model.linear_member": True})
    windows = random_windows(FOUR_RATES, 6)
    front_end = build_front_end(recipe).fit(windows)
    network, batch = build_network(front_end, 3, recipe).eval(), front_end(windows)
    member, main = members_of(network, LinearMember)[0], members_of(network, Maestro)[0]
    with torch.no_grad():
        assert not member(batch).logits.any()
    assert network.pooled(batch).shape == (6, recipe.model.width)
    cost = count_components(network, batch)
    assert cost["linear member"] < 0.1 * count_macs(main, batch)


def test_no_label_is_smoothed_for_the_linear_member() -> None:
    recipe = RECIPE.override({"model.linear_member": True})
    front_end = build_front_end(recipe).fit(random_windows(FOUR_RATES, 6))
    assert build_network(front_end, 3, recipe).smoothing(0.1, 3) == (0.1, 0.1, 0.0)
