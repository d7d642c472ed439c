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
from maestro_ts.model.selected_attention import Piece, attend
from maestro_ts.model.spans import Spans
from maestro_ts.model.stacked import runs

WIDTH, HEADS = 8, 2


def attention(longest: int, *, members: int = 1, seed: int = 0, **changes: Any) -> Attention:
    torch.manual_seed(seed)
    settings: dict[str, Any] = {
        "beta": 2.0,
        "dense": False,
        "dropout": 0.0,
        "soft_width": 0.5,
    }
    module = Attention(members, WIDTH, HEADS, longest=longest, **(settings | changes))
    return module.double().eval()


def tokens(rows: int, length: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, length, WIDTH, generator=generator, dtype=torch.float64)


def twin(module: Attention, x: Tensor, v: Tensor, sizes: Sequence[int] | None = None) -> Tensor:
    """The loops of the reference, row by row."""
    result = torch.zeros_like(x)
    for g, rows in runs(sizes or [len(x)]):
        for r in range(rows.start, rows.stop):
            result[r] = slow_attention(
                x[r],
                float(v[r]),
                (module.project.weight[g], module.project.bias[g, 0]),
                (module.out.weight[g], module.out.bias[g, 0]),
                HEADS,
                module.sampled,
            )
    return result


def test_equals_the_loops() -> None:
    module = attention(21, members=3)
    x, sizes = tokens(6, 21), [4, 0, 2]
    v = torch.tensor([1.0, 2.4, 7.9, 3.0, 0.3, 30.0], dtype=torch.float64)
    with torch.no_grad():
        found = module(x, v, sizes)
        assert torch.allclose(found, twin(module, x, v, sizes), rtol=0, atol=1e-12)


@pytest.mark.parametrize("longest", [13, 40])
@pytest.mark.parametrize("beta", [1.0, 2.5, 5.0])
def test_windows_of_unequal_length_equal_the_loops(longest: int, beta: float) -> None:
    module = attention(longest, beta=beta)
    spans, x = run([5, 13, 1, 5, 2, 13, 8])
    with torch.no_grad():
        found = module.over(x, spans)
    for block in spans.blocks:
        rows = block.of(x)
        units = max(1, math.ceil(math.log(block.length)))
        v = torch.full((block.rows,), beta * units, dtype=torch.float64)
        assert torch.allclose(block.of(found), twin(module, rows, v), rtol=0, atol=1e-12)


def run(lengths: list[int]) -> tuple[Spans, Tensor]:
    used = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    spans = Spans.of_slots(used, torch.device("cpu"))
    return spans, tokens(1, sum(lengths))[0]


def test_a_window_is_alone_with_its_tokens() -> None:
    module = attention(13)
    spans, x = run([5, 13, 5, 8])
    alone, _ = run([8])
    block = spans.blocks[1]
    assert block.length == 8
    with torch.no_grad():
        found = block.of(module.over(x, spans))[0]
        wanted = module.over(block.of(x)[0], alone)
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 200])
def test_the_gradient_is_that_of_the_plain_formula(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_ts.model.selected_attention.CHUNK", chunk)
    packed = tokens(1, 15, seed=3)[0].repeat(1, 3).requires_grad_()
    weights = torch.tensor([[1.0, 0.4], [0.7, 0.2], [1.0, 1.0]], dtype=torch.float64)
    places = torch.tensor([[0, 2, 4]]).expand(3, -1)
    piece = Piece(0, 3, 5, places=places)

    def learned(x: Tensor, w: Tensor) -> Tensor:
        return attend(x, HEADS, [piece], w)

    assert torch.autograd.gradcheck(learned, (packed, weights.requires_grad_()))
    mixed = [
        Piece(0, 1, 3),
        Piece(3, 2, 6, weights.detach()[:2], places[:2]),
    ]
    assert torch.autograd.gradcheck(lambda x: attend(x, HEADS, mixed), (packed,))


def test_the_fused_kernel_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    module = attention(9, dense=True)
    spans, x = run([4, 9, 9])
    rows, v = tokens(2, 9), torch.zeros(2, dtype=torch.float64)
    results = []
    for limit in (512, 5):
        monkeypatch.setattr("maestro_ts.model.attention.FUSED_FROM", limit)
        results.append((module.over(x, spans), module(rows, v, [2])))
    for plain, fused in zip(*results, strict=True):
        assert torch.allclose(plain, fused, rtol=0, atol=1e-12)


def test_keys_are_sampled_in_the_middle_of_equal_strata() -> None:
    assert sampled_places(10, 5) == [1, 3, 5, 7, 9]
    assert sampled_places(3, 6) == [0, 1, 2]
    # min(L, β ⌈ln L⌉) keys: 2 · 4 of 21.
    assert attention(21).sampled == 8
    assert attention(3).sampled == 3
    assert attention(1).sampled == 1


def test_rows_grouped_by_budget_equal_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_ts.model.attention.WORTH", 1)
    module = attention(30)
    x = tokens(9, 30)
    v = torch.tensor([1, 8.5, 2.2, 4, 8, 1.1, 6.7, 3, 5], dtype=torch.float64)
    with torch.no_grad():
        assert len(module._groups(v, 30)) == 4
        together = module(x, v, [9])
        alone = [module(x[i : i + 1], v[i : i + 1], [1]) for i in range(9)]
    assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-12)


def test_few_tokens_are_one_class() -> None:
    module, v = attention(30), torch.tensor([1.0, 8.5, 2.2, 4.0])
    assert [most for _, most in module._groups(v, 30)] == [9]
    assert len(module._groups(v.repeat(200), 30)) == 4


def test_cost_follows_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_ts.model.attention.WORTH", 1)
    module = attention(60, beta=5.0)
    x = tokens(8, 60)

    def macs(v: list[float]) -> float:
        class Wrapped(torch.nn.Module):
            def forward(self, _: Any) -> Tensor:
                result: Tensor = module(x, torch.tensor(v, dtype=torch.float64), [8])
                return result

        return count_macs(Wrapped(), None)  # type: ignore[arg-type]

    low, high, half = macs([2.0] * 8), macs([20.0] * 8), macs([2.0] * 4 + [20.0] * 4)
    assert high - low == 2 * 8 * (20 - 2) * 60 * WIDTH  # scores and values of 18 more queries
    assert half == (low + high) / 2


def test_dense_ignores_budgets() -> None:
    module = attention(20, dense=True)
    x = tokens(2, 20)
    with torch.no_grad():
        none = module(x, torch.zeros(2, dtype=torch.float64), [2])
        every = twin(module, x, torch.full((2,), 20.0))
    assert torch.allclose(none, every, rtol=0, atol=1e-12)


def test_no_query_is_the_mean_of_the_values() -> None:
    module = attention(9)
    x = tokens(1, 9)
    with torch.no_grad():
        result = module(x, torch.zeros(1, dtype=torch.float64), [1])[0]
    assert torch.allclose(result, result[:1].expand_as(result), rtol=0, atol=1e-12)


def test_the_number_of_queries_has_a_gradient_at_the_margin() -> None:
    module = attention(20).train()
    x = tokens(2, 20)
    v = torch.tensor([3.4, 3.4], dtype=torch.float64, requires_grad=True)
    module(x, v, [2]).pow(2).sum().backward()
    assert v.grad is not None
    assert (v.grad.abs() > 1e-6).all()
    # Against a difference quotient: between integers the result is linear in v.
    with torch.no_grad():
        high, low = (module(x, v + d, [2])[0].pow(2).sum() for d in (1e-6, -1e-6))
    assert float((high - low) / 2e-6) == pytest.approx(float(v.grad[0]), rel=1e-5)


def test_softness_spreads_the_gradient_in_training_only() -> None:
    module = attention(20, soft_width=1.0)
    x, v = tokens(1, 20), torch.full((1,), 4.0, dtype=torch.float64)
    exact = module(x, v, [len(x)])
    module.softness = 1.0
    assert torch.equal(module(x, v, [len(x)]), exact)
    module.train()
    assert not torch.allclose(module(x, v, [len(x)]), exact, atol=1e-4)
    module.softness = 0.0
    assert torch.allclose(module(x, v, [len(x)]), exact, rtol=0, atol=1e-12)


def test_evaluation_draws_nothing_and_training_draws_from_its_generator() -> None:
    module = attention(30)
    module.generator = torch.Generator().manual_seed(3)
    x, v = tokens(2, 30), torch.full((2,), 5.0, dtype=torch.float64)
    kept, outside = module.generator.get_state(), torch.get_rng_state()
    assert torch.equal(module(x, v, [len(x)]), module(x, v, [len(x)]))
    assert torch.equal(module.generator.get_state(), kept)
    module.train()
    module(x, v, [len(x)])
    assert not torch.equal(module.generator.get_state(), kept)
    assert torch.equal(torch.get_rng_state(), outside)


def test_jittered_keys_are_one_of_each_stratum() -> None:
    module = attention(40).train()
    for length in (40, 11, 9):
        drawn = []
        for seed in range(20):
            module.generator = torch.Generator().manual_seed(seed)
            drawn.append(module._places(3, length, torch.device("cpu")))
        places = torch.stack(drawn)
        assert places.shape == (20, 3, module.sampled)
        assert (places < length).all()
        assert (places >= 0).all()
        assert (places.diff(dim=-1) >= 0).all()
        assert len(places.flatten(0, 1).unique(dim=0)) > 1


def test_few_keys_are_all_scored_on_and_nothing_is_drawn() -> None:
    module = attention(40).train()
    module.generator = torch.Generator().manual_seed(0)
    before = module.generator.get_state()
    for length in (module.sampled, 2, 1):
        places = module._places(3, length, torch.device("cpu"))
        assert places.tolist() == list(range(length))
    assert torch.equal(module.generator.get_state(), before)


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("training", [False, True])
def test_short_rows(length: int, training: bool) -> None:
    module = attention(length).train(training)
    most = max(1.0, 2.0 * math.log(length))  # a budget never asks for more than β ln L
    x, v = tokens(2, length), torch.full((2,), most, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(module(x, v, [len(x)]), twin(module, x, v), rtol=0, atol=1e-12)
