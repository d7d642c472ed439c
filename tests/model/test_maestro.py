from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.evaluation.cost import count_macs
from maestro_ts.model.attention import Attention
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.experts import Experts
from maestro_ts.model.maestro import Maestro
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import FOUR_RATES, keep, random_windows

NAMES = tuple(FOUR_RATES)
PATTERNS = np.array(
    [
        [True, True, True, True],
        [True, False, True, False],
        [False, False, False, True],
        [False, False, False, False],
    ]
)
TOKENS = {"acc": 8, "bvp": 8, "ecg": 8, "eda": 4}  # 4 Hz for 2 s: at most half of 8 samples
ENCODED = {name: (n - 1) // 2 + 1 for name, n in TOKENS.items()}


def windows() -> Windows:
    return keep(random_windows(FOUR_RATES, 4), PATTERNS)


def build(given: Windows | None = None, **changes: Any) -> tuple[Maestro, Batch]:
    """A network in evaluation and the batch of the given windows."""
    given = windows() if given is None else given
    settings = {k.replace("__", "."): v for k, v in changes.items()}
    recipe = load_recipe("tiny").override(settings)
    front_end = build_front_end(recipe).fit(given)
    torch.manual_seed(0)
    network = build_network(front_end, 3, recipe)
    assert isinstance(network, Maestro)
    return network.eval(), front_end(given)


def run(network: Maestro, batch: Batch) -> Any:
    with torch.no_grad():
        return network(batch)


def counted_rows(network: Maestro, batch: Batch) -> list[list[int]]:
    """Rows of each member in every call of an encoder layer."""
    calls: list[list[int]] = []
    for module in network.modules():
        if isinstance(module, EncoderLayer):
            module.register_forward_hook(lambda _, args, __: calls.append(list(args[2])))
    run(network, batch)
    return calls


# ---------------------------------------------------------------- absence


def test_an_absent_modality_is_one_token() -> None:
    network, batch = build()
    whole = sum(ENCODED.values()) + 4  # and a summary each
    some = ENCODED["acc"] + ENCODED["ecg"] + 2
    assert run(network, batch).tokens.tolist() == [whole, some, ENCODED["eda"] + 1, 0]
    seen: list[Tensor] = []
    network.fusion[0].register_forward_hook(lambda _, args, __: seen.append(args[1].owner))
    run(network, batch)
    assert seen[0].bincount().tolist() == [whole, some + 2, ENCODED["eda"] + 1 + 3, 4]


def test_none_lets_nothing_enter_for_an_absent_modality() -> None:
    network, batch = build(model__absent="none")
    seen: list[Tensor] = []
    network.fusion[0].register_forward_hook(lambda _, args, __: seen.append(args[1].owner))
    tokens = run(network, batch).tokens
    # With nothing at all the missing tokens are the learned prior.
    assert seen[0].bincount().tolist() == [*tokens.tolist()[:3], 4]
    network.train()
    network(batch).logits[:3].sum().backward()
    assert network.missing.grad is not None
    assert not network.missing.grad.any()


def test_symbols_pay_for_absent_modalities() -> None:
    network, batch = build(model__absent="symbols")
    whole = sum(ENCODED.values()) + 4
    assert run(network, batch).tokens.tolist() == [whole] * 4
    assert counted_rows(network, batch) == [[4], [4, 4, 4]]
    assert not hasattr(network, "missing")


def test_an_absent_modality_has_no_row_in_an_encoder() -> None:
    network, batch = build()
    # eda (length 4) has 2 rows; acc, bvp, ecg (length 8) have 2, 1 and 2.
    assert counted_rows(network, batch) == [[2], [2, 1, 2]]
    only = keep(random_windows(FOUR_RATES, 4), np.array([True, False, False, False]))
    network, _ = build()
    _, batch = build(only)
    assert counted_rows(network, batch) == [[4, 0, 0]]


def test_cost_falls_with_every_absent_modality() -> None:
    given = random_windows({f"s{i}": 16.0 for i in range(4)}, 2)
    network, _ = build(given)
    macs = [count_macs(network, build(keep(given[[0]], np.arange(4) < k))[1]) for k in range(1, 5)]
    assert macs == sorted(macs)
    assert macs[0] < 0.4 * macs[3]
    published, _ = build(given, model__absent="symbols")
    whole, alone = (
        count_macs(published, build(keep(given[[0]], np.arange(4) < k))[1]) for k in (4, 1)
    )
    assert alone > 0.9 * whole


def test_the_missing_token_is_learned() -> None:
    network, batch = build()
    network.train()
    network(batch).logits[1].sum().backward()
    assert network.missing.grad is not None
    rows = network.missing.grad.abs().sum(dim=1) > 0
    assert rows.tolist() == [False, True, False, True]


@pytest.mark.parametrize("absent", ["token", "none", "symbols"])
def test_windows_with_nothing_are_alike(absent: str) -> None:
    nothing = keep(random_windows(FOUR_RATES, 4), np.zeros((4, 4), dtype=bool))
    network, _ = build(random_windows(FOUR_RATES, 6), model__absent=absent)
    _, batch = build(nothing)
    logits = run(network, batch).logits
    assert torch.isfinite(logits).all()
    assert torch.equal(logits, logits[:1].expand_as(logits))


def test_without_a_modality_embedding_tokens_are_not_told_whose_they_are() -> None:
    with_it, batch = build()
    network, _ = build(model__modality_embedding=False)
    assert "modality" not in network.state_dict()
    network.load_state_dict(with_it.state_dict(), strict=False)
    with_it.modality.data.zero_()
    torch.testing.assert_close(network(batch).logits, with_it(batch).logits)


def test_budgets_are_zero_where_absent() -> None:
    network, batch = build()
    budgets = run(network, batch).budgets
    assert budgets.shape == (4, 4)
    assert ((budgets > 0).numpy() == PATTERNS).all()


def test_a_budget_follows_utility() -> None:
    network, batch = build()
    with torch.no_grad():
        network.budget.utility[0] = 1.0
    first, second = run(network, batch).budgets[:2, 0]
    assert abs(float(first - second)) > 0.01  # the same modality, other windows


# ---------------------------------------------------------------- variants


def test_a_shared_encoder_has_one_set_of_weights() -> None:
    network, batch = build(model__encoder="shared")
    assert len(network.encoders) == 1
    assert network.encoders[0][0].attention.project.weight.shape[0] == 1
    out = run(network, batch)
    assert torch.isfinite(out.logits).all()
    calls = counted_rows(network, batch)
    assert calls == [[2], [5]]  # all rows of one length are one product
    many = random_windows({f"s{i}": 32.0 for i in range(9)}, 4)
    assert sum(
        p.numel() for p in build(many, model__encoder="shared")[0].encoders.parameters()
    ) == (sum(p.numel() for p in network.encoders.parameters()))


def test_streams_are_told_apart_by_a_shared_encoder() -> None:
    given = random_windows({"a": 16.0, "b": 16.0}, 4)
    network, batch = build(given, model__encoder="shared")
    seen: list[Tensor] = []
    network.encoders[0][0].register_forward_hook(lambda _, args, __: seen.append(args[0]))
    run(network, batch)
    moved = 1.0 + torch.arange(2.0)[:, None].expand(2, 16)
    with torch.no_grad():
        network.modality += moved
    run(network, batch)
    rows = moved.repeat_interleave(4, dim=0)[:, None]  # four windows of a, then four of b
    assert torch.allclose(seen[1] - seen[0], rows.expand_as(seen[0]), atol=1e-5)


def test_experts_as_classifiers() -> None:
    network, batch = build(experts__placement="head")
    placed = [name for name, m in network.named_modules() if isinstance(m, Experts)]
    assert placed == ["head.mixer"]
    out = run(network, batch)
    assert out.logits.shape == (4, 3)
    assert out.expert_share is None


def test_no_experts() -> None:
    network, batch = build(experts__placement="none")
    assert not [m for m in network.modules() if isinstance(m, Experts)]
    assert run(network, batch).logits.shape == (4, 3)


def test_expert_shares_sum_to_one() -> None:
    network, batch = build(model__fusion_layers=2, experts__count=3)
    share = run(network, batch).expert_share
    assert share.shape == (4, 2, 3)
    assert torch.allclose(share.sum(dim=2), torch.ones(4, 2))
    assert network.train()(batch).expert_share is None


@pytest.mark.parametrize("rule", ["fractional", "paper", "code", "fixed"])
@pytest.mark.parametrize("attention", ["sparse", "dense"])
@pytest.mark.parametrize("embedding", ["ordinal", "table", "id"])
def test_settings_combine(rule: str, attention: str, embedding: str) -> None:
    network, batch = build(
        budget__rule=rule,
        model__attention=attention,
        symbols__embedding=embedding,
        budget__price=0.1,
    )
    network.train()
    network.use_generator(torch.Generator().manual_seed(0))
    out = network(batch)
    assert (out.aux_loss is not None) == (rule == "fractional")
    out.logits.sum().backward()
    gate = [p.grad for n, p in network.named_parameters() if n.startswith("budget.availability")]
    learns = rule == "fractional" and attention == "sparse"
    assert any(g is not None and bool(g.any()) for g in gate) == learns


def test_a_gate_changes_no_other_initial_weight() -> None:
    learned, fixed = (build(budget__rule=rule)[0].state_dict() for rule in ("fractional", "fixed"))
    others = {name for name in learned if not name.startswith("budget.")}
    assert others == set(fixed)
    assert all(torch.equal(learned[name], fixed[name]) for name in others)


def test_nothing_but_the_head_is_also_a_model() -> None:
    network, batch = build(model__encoder_layers=0, model__fusion_layers=0)
    assert torch.isfinite(run(network, batch).logits).all()


@pytest.mark.parametrize("bins", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("fusion_distil", [False, True])
@pytest.mark.parametrize("encoder_distil", [False, True])
def test_odd_lengths_and_one_token(bins: int, fusion_distil: bool, encoder_distil: bool) -> None:
    network, batch = build(
        symbols__tokens=bins,
        symbols__summary=False,
        model__fusion_distil=fusion_distil,
        model__encoder_distil=encoder_distil,
        model__encoder_layers=2,
        model__fusion_layers=2,
    )
    assert torch.isfinite(run(network, batch).logits).all()
    network.train()(batch).logits.sum().backward()
    assert network.modality.grad is not None
    assert torch.isfinite(network.modality.grad).all()


def test_every_row_of_the_position_table_is_used() -> None:
    network, batch = build()
    assert len(network.position) == max(ENCODED.values())
    network.train()(batch).logits.sum().backward()
    assert network.position.grad is not None
    assert (network.position.grad.abs().sum(dim=1) > 0).all()


def test_streams_of_other_lengths_are_aligned_in_time() -> None:
    network, _ = build()
    shapes = {s.name: s for s in network.shapes}
    assert network.aligned(shapes["acc"].encoded).tolist() == [0, 1, 2, 3]
    assert network.aligned(shapes["eda"].encoded).tolist() == [1, 3]


# ----------------------------------------------------- irregular, static, durations


def test_irregular_static_and_trials_of_unequal_length() -> None:
    rng = np.random.default_rng(0)
    schema = [
        Modality("age", static=True),
        Modality("gsr"),
        Modality("imu", channels=2, rate_hz=20),
    ]
    times = [np.sort(rng.uniform(0, 1 + i, 9)) for i in range(4)]
    given = Windows.from_arrays(
        {
            "age": [np.array([[30.0 + i]]) if i != 2 else None for i in range(4)],
            "gsr": [rng.normal(size=(9, 1)) for _ in range(4)],
            "imu": [rng.normal(size=(20 * (1 + i), 2)) for i in range(4)],
        },
        schema,
        times={"gsr": times},
        duration_s=[1.0, 2.0, 3.0, 4.0],
    )
    network, batch = build(given)
    assert network.duration is not None
    assert [s.summary for s in network.shapes] == [0, 6, 6]
    out = run(network, batch)
    assert torch.isfinite(out.logits).all()
    assert out.tokens.tolist() == [1 + 3 + 5, 1 + 3 + 5, 3 + 5, 1 + 3 + 5]
    changed = build(given.replace(duration_s=given.duration_s * np.array([1, 1, 1.5, 1])))[1]
    assert not torch.equal(changed.extras["duration"], batch.extras["duration"])


# ------------------------------------------------------------------ training


def test_evaluation_draws_nothing() -> None:
    network, batch = build(model__dropout=0.5)
    generator = torch.Generator().manual_seed(0)
    network.use_generator(generator)
    states = generator.get_state(), torch.get_rng_state()
    assert torch.equal(run(network, batch).logits, run(network, batch).logits)
    assert torch.equal(generator.get_state(), states[0])
    network.train()
    assert not torch.equal(run(network, batch).logits, run(network, batch).logits)
    assert not torch.equal(generator.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])


def test_training_repeats_with_its_generator() -> None:
    network, batch = build(model__dropout=0.5)
    network.train()
    first, second = (_with_generator(network, seed, batch) for seed in (4, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, _with_generator(network, 5, batch))


def _with_generator(network: Maestro, seed: int, batch: Batch) -> Tensor:
    network.use_generator(torch.Generator().manual_seed(seed))
    logits: Tensor = run(network, batch).logits
    return logits


def test_softness_anneals_to_exact_budgets() -> None:
    network, batch = build(budget__anneal_share=0.4)
    softness = []
    encoders = [m for m in network.encoders.modules() if isinstance(m, Attention)]
    for share in (0.0, 0.2, 0.4, 1.0):
        network.set_progress(share)
        softness.append({m.softness for m in encoders})
    assert softness == [{1.0}, {0.5}, {0.0}, {0.0}]
    fusion = [m.softness for m in network.fusion.modules() if isinstance(m, Attention)]
    assert fusion == [0.0]
    exact = run(network, batch).logits
    network.train()  # no dropout in this recipe, no generator: only softness could differ
    assert torch.allclose(run(network, batch).logits, exact, atol=1e-6)
    network.set_progress(0.0)
    assert not torch.allclose(run(network, batch).logits, exact, atol=1e-6)
    published, _ = build(budget__rule="paper")
    published.set_progress(0.0)
    assert {m.softness for m in published.modules() if isinstance(m, Attention)} == {0.0}


def test_after_step_balances_every_layer() -> None:
    network, batch = build(model__fusion_layers=2, experts__balance="loss_free", experts__count=4)
    network.train()(batch)
    network.after_step()
    layers = [m for m in network.modules() if isinstance(m, Experts)]
    assert len(layers) == 2
    assert all(bool(m.bias.any()) and not bool(m.load.any()) for m in layers)


def test_price_is_part_of_training_only() -> None:
    network, batch = build(budget__price=0.5)
    assert run(network, batch).aux_loss is None
    out = network.train()(batch)
    mean = out.budgets.sum() / PATTERNS.sum()
    assert float(out.aux_loss.detach()) == pytest.approx(0.5 * float(mean.detach()))


def test_pooling_is_over_tokens_that_carry_data() -> None:
    network, batch = build(model__fusion_layers=0)
    pooled: list[Tensor] = []
    network.head.register_forward_hook(lambda _, args, __: pooled.append(args[0]))
    run(network, batch)
    with torch.no_grad():
        network.missing += 100.0
    run(network, batch)
    same = (pooled[0] == pooled[1]).all(dim=1)
    assert same.tolist() == [True, True, True, False]  # the last window has nothing else


# ------------------------------------------------------- queries of the fusion


def test_enough_queries_for_all_are_dense_attention() -> None:
    wide, batch = build(budget__fusion_beta=50.0, budget__rule="fixed")
    dense, _ = build(model__attention="dense", budget__rule="fixed")
    for layer in wide.encoders.modules():
        if isinstance(layer, Attention):
            layer.dense = True
    dense.load_state_dict(wide.state_dict())
    assert torch.equal(run(wide, batch).logits, run(dense, batch).logits)


def test_the_fusion_has_a_budget_of_its_own() -> None:
    network, _ = build(budget__fusion_beta=7.0, budget__beta=3.0)
    fusion = {m.beta for m in network.fusion.modules() if isinstance(m, Attention)}
    encoders = {m.beta for m in network.encoders.modules() if isinstance(m, Attention)}
    assert (fusion, encoders) == ({7.0}, {3.0})
