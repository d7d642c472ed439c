from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from slow_attention import sampled_places, slow_attention
from torch import Tensor

from maestro_ts.evaluation.cost import count_macs
from maestro_ts.model.attention import Attention
from maestro_ts.model.spans import Spans

WIDTH, HEADS = 8, 2


def attention(longest: int, *, members: int = 1, seed: int = 0, **changes: Any) -> Attention:
    torch.manual_seed(seed)
    settings: dict[str, Any] = {
        "beta": 2.0,
        "dense": False,
        "dense_below": 0,
        "dropout": 0.0,
        "soft_width": 0.5,
    }
    module = Attention(members, WIDTH, HEADS, longest=longest, **(settings | changes))
    return module.double().eval()


def tokens(members: int, rows: int, length: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(members, rows, length, WIDTH, generator=generator, dtype=torch.float64)


def twin(module: Attention, x: Tensor, v: Tensor, lengths: Sequence[int] | None = None) -> Tensor:
    """The loops of the reference, row by row; padding stays 0."""
    result = torch.zeros_like(x)
    for g in range(x.shape[0]):
        for r in range(x.shape[1]):
            n = x.shape[2] if lengths is None else lengths[r]
            result[g, r, :n] = slow_attention(
                x[g, r, :n],
                float(v[g, r]),
                (module.project.weight[g], module.project.bias[g, 0]),
                (module.out.weight[g], module.out.bias[g, 0]),
                HEADS,
                module.sampled,
            )
    return result


@pytest.mark.parametrize("dense_below", [0, 64])
def test_equals_the_loops(dense_below: int) -> None:
    module = attention(21, members=2, dense_below=dense_below)
    x = tokens(2, 3, 21)
    v = torch.tensor([[1.0, 2.4, 7.9], [3.0, 0.3, 30.0]], dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(module(x, None, v), twin(module, x, v), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dense_below", [0, 64])
@pytest.mark.parametrize("longest", [13, 40])
def test_equals_the_loops_on_rows_of_unequal_length(dense_below: int, longest: int) -> None:
    module = attention(longest, dense_below=dense_below)
    lengths = [13, 5, 1, 8, 2]
    x = tokens(1, 5, 13)
    spans = Spans(torch.tensor(lengths), 13, torch.device("cpu"))
    v = torch.tensor([[6.0, 3.7, 9.0, 1.0, 1.5]], dtype=torch.float64)
    with torch.no_grad():
        found, wanted = module(x, spans, v), twin(module, x, v, lengths)
    there = spans.there[None, :, :, None]
    assert torch.allclose(found * there, wanted, rtol=0, atol=1e-12)


def test_keys_are_sampled_in_the_middle_of_equal_strata() -> None:
    assert sampled_places(10, 5) == [1, 3, 5, 7, 9]
    assert sampled_places(3, 6) == [0, 0, 1, 1, 2, 2]
    # min(L, β ⌈ln L⌉) keys: 2 · 4 of 21.
    assert attention(21).sampled == 8
    assert attention(3).sampled == 3
    assert attention(1).sampled == 1


@pytest.mark.parametrize("dense_below", [0, 64])
def test_padding_never_enters(dense_below: int) -> None:
    module = attention(12, dense_below=dense_below)
    spans = Spans(torch.tensor([12, 7, 1]), 12, torch.device("cpu"))
    x, v = tokens(1, 3, 12), torch.tensor([[4.5, 3.2, 2.0]], dtype=torch.float64)
    other = torch.where(spans.there[None, :, :, None], x, 1e4 * tokens(1, 3, 12, seed=2))
    there = spans.there[None, :, :, None]
    with torch.no_grad():
        assert torch.equal(module(x, spans, v) * there, module(other, spans, v) * there)


def test_the_dense_path_equals_the_selecting_path_in_training_too() -> None:
    x, v = tokens(1, 4, 20), torch.tensor([[1.0, 3.3, 5.9, 6.0]], dtype=torch.float64)
    results = []
    for dense_below in (0, 64):
        module = attention(20, dense_below=dense_below).train()
        module.generator = torch.Generator().manual_seed(5)
        module.softness = 0.0
        results.append(module(x, None, v))
    assert torch.allclose(*results, rtol=0, atol=1e-12)


def test_rows_grouped_by_budget_equal_rows_alone() -> None:
    module = attention(30)
    x = tokens(1, 9, 30)
    v = torch.tensor([[1, 8.5, 2.2, 4, 8, 1.1, 6.7, 3, 5]], dtype=torch.float64)
    with torch.no_grad():
        assert len(module._groups(v[0], 30)) == 4
        together = module(x, None, v)
        alone = [module(x[:, i : i + 1], None, v[:, i : i + 1]) for i in range(9)]
    assert torch.allclose(together, torch.cat(alone, dim=1), rtol=0, atol=1e-12)


def test_cost_follows_the_budget() -> None:
    module = attention(60, beta=5.0)
    x = tokens(1, 8, 60)

    def macs(v: list[float]) -> float:
        class Wrapped(torch.nn.Module):
            def forward(self, _: Any) -> Tensor:
                result: Tensor = module(x, None, torch.tensor([v], dtype=torch.float64))
                return result

        return count_macs(Wrapped(), None)  # type: ignore[arg-type]

    low, high, half = macs([2.0] * 8), macs([20.0] * 8), macs([2.0] * 4 + [20.0] * 4)
    assert high - low == 2 * 8 * (20 - 2) * 60 * WIDTH  # scores and values of 18 more queries
    assert half == (low + high) / 2


def test_dense_ignores_budgets() -> None:
    module = attention(20, dense=True)
    x = tokens(1, 2, 20)
    with torch.no_grad():
        none = module(x, None, torch.zeros(1, 2, dtype=torch.float64))
        every = twin(module, x, torch.full((1, 2), 20.0))
    assert torch.allclose(none, every, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dense_below", [0, 64])
def test_no_query_is_the_mean_of_the_values(dense_below: int) -> None:
    module = attention(9, dense_below=dense_below)
    x = tokens(1, 1, 9)
    with torch.no_grad():
        result = module(x, None, torch.zeros(1, 1, dtype=torch.float64))[0, 0]
    assert torch.allclose(result, result[:1].expand_as(result), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dense_below", [0, 64])
def test_the_number_of_queries_has_a_gradient_at_the_margin(dense_below: int) -> None:
    module = attention(20, dense_below=dense_below).train()
    x = tokens(1, 2, 20)
    v = torch.tensor([[3.4, 3.4]], dtype=torch.float64, requires_grad=True)
    module(x, None, v).pow(2).sum().backward()
    assert v.grad is not None
    assert (v.grad.abs() > 1e-6).all()
    # Against a difference quotient: between integers the result is linear in v.
    with torch.no_grad():
        high, low = (module(x, None, v + d)[0, 0].pow(2).sum() for d in (1e-6, -1e-6))
    assert float((high - low) / 2e-6) == pytest.approx(float(v.grad[0, 0]), rel=1e-5)


def test_softness_spreads_the_gradient_in_training_only() -> None:
    module = attention(20, soft_width=1.0)
    x, v = tokens(1, 1, 20), torch.full((1, 1), 4.0, dtype=torch.float64)
    exact = module(x, None, v)
    module.softness = 1.0
    assert torch.equal(module(x, None, v), exact)
    module.train()
    assert not torch.allclose(module(x, None, v), exact, atol=1e-4)
    module.softness = 0.0
    assert torch.allclose(module(x, None, v), exact, rtol=0, atol=1e-12)


def test_evaluation_draws_nothing_and_training_draws_from_its_generator() -> None:
    module = attention(30)
    module.generator = torch.Generator().manual_seed(3)
    x, v = tokens(1, 2, 30), torch.full((1, 2), 5.0, dtype=torch.float64)
    kept, outside = module.generator.get_state(), torch.get_rng_state()
    assert torch.equal(module(x, None, v), module(x, None, v))
    assert torch.equal(module.generator.get_state(), kept)
    module.train()
    module(x, None, v)
    assert not torch.equal(module.generator.get_state(), kept)
    assert torch.equal(torch.get_rng_state(), outside)


def test_jittered_keys_stay_among_the_real_ones() -> None:
    module = attention(40).train()
    lengths = [40, 11, 2, 1]
    spans = Spans(torch.tensor(lengths), 40, torch.device("cpu"))
    seen: list[Tensor] = []
    original = Tensor.gather

    def spy(self: Tensor, dim: int, index: Tensor) -> Tensor:
        seen.append(index[:, 0, :, 0])
        return original(self, dim, index)

    q = k = tokens(4, HEADS, 40)
    k.gather = spy.__get__(k)  # type: ignore[method-assign]
    for seed in range(20):
        module.generator = torch.Generator().manual_seed(seed)
        module._score(q, k, spans.lengths, spans.there)
    places = torch.stack(seen)
    assert (places < torch.tensor(lengths)[:, None]).all()
    assert (places >= 0).all()
    assert len(places.unique(dim=0)) > 1
    assert (places.diff(dim=-1) >= 0).all()  # one key per stratum, in order


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("training", [False, True])
def test_short_rows(length: int, training: bool) -> None:
    module = attention(length).train(training)
    most = max(1.0, 2.0 * math.log(length))  # a budget never asks for more than β ln L
    x, v = tokens(1, 2, length), torch.full((1, 2), most, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(module(x, None, v), twin(module, x, v), rtol=0, atol=1e-12)
