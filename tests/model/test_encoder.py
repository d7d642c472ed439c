from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from slow_attention import slow_attention, slow_distil, slow_feed_forward
from torch import Tensor, nn

from maestro_ts.model.attention import Attention
from maestro_ts.model.distil import Distil, distilled_length
from maestro_ts.model.encoder import EncoderLayer
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.stacked import StackedLinear, StackedNorm, runs

WIDTH = 8


def numbers(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def member(stacked: StackedLinear, g: int) -> tuple[Tensor, Tensor]:
    return stacked.weight[g].detach(), stacked.bias[g, 0].detach()


def layer(members: int, length: int, *, distil: bool = True, **changes: Any) -> EncoderLayer:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"beta": 2.0, "dense": False, "soft_width": 0.5}
    attention = Attention(members, WIDTH, 2, longest=length, dropout=0.0, **(settings | changes))
    built = EncoderLayer(
        members, WIDTH, attention, distil=distil, multiple=2.0, dropout=0.0
    ).double()
    for norm in (built.attention_norm, built.feed_forward_norm):
        with torch.no_grad():  # not the identity, so that a mixed-up member shows
            norm.weight.copy_(numbers(*norm.weight.shape, seed=2))
            norm.bias.copy_(numbers(*norm.bias.shape, seed=3))
    return built.eval()


# ---------------------------------------------------------------- stacked


SIZES = [[4], [2, 3, 1], [2, 0, 3], [2, 2, 2]]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("small", [0, 1000])
def test_stacked_linear_equals_a_linear_per_member(
    sizes: list[int], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_ts.model.stacked.SMALL", small)
    torch.manual_seed(0)
    stacked = StackedLinear(len(sizes), 5, 7).double()
    x = numbers(sum(sizes), 5)
    for g, rows in runs(sizes):
        single = nn.Linear(5, 7).double()
        with torch.no_grad():
            single.weight.copy_(stacked.weight[g].T)
            single.bias.copy_(stacked.bias[g, 0])
        assert torch.allclose(stacked(x, sizes)[rows], single(x[rows]), rtol=0, atol=1e-12)
    gradients_agree(lambda x: stacked(x, sizes), x, stacked)


def gradients_agree(run: Callable[[Tensor], Tensor], x: Tensor, module: nn.Module) -> None:
    """By difference quotients, of the input and of every weight."""
    tensors = dict(module.named_parameters())

    def of(x: Tensor, *values: Tensor) -> Tensor:
        with torch.nn.utils.stateless._reparametrize_module(
            module, dict(zip(tensors, values, strict=True))
        ):
            return run(x)

    values = [t.detach().clone().requires_grad_() for t in tensors.values()]
    assert torch.autograd.gradcheck(of, (x.clone().requires_grad_(), *values))


def test_stacked_linear_starts_like_nn_linear() -> None:
    torch.manual_seed(0)
    stacked, single = StackedLinear(50, 16, 32), nn.Linear(16, 32)
    assert float(stacked.weight.abs().max()) <= 16**-0.5
    assert float(stacked.weight.std()) == pytest.approx(float(single.weight.std()), rel=0.05)
    assert float(stacked.bias.std()) == pytest.approx(16**-0.5 / 3**0.5, rel=0.05)


@pytest.mark.parametrize("sizes", SIZES)
def test_stacked_norm_equals_a_norm_per_member(sizes: list[int]) -> None:
    members = len(sizes)
    stacked = StackedNorm(members, 6).double()
    x = 3.0 + 2.0 * numbers(sum(sizes), 6)
    with torch.no_grad():
        stacked.weight.copy_(numbers(members, 1, 6, seed=2))
        stacked.bias.copy_(numbers(members, 1, 6, seed=3))
    for g, rows in runs(sizes):
        single = nn.LayerNorm(6).double()
        with torch.no_grad():
            single.weight.copy_(stacked.weight[g, 0])
            single.bias.copy_(stacked.bias[g, 0])
        assert torch.allclose(stacked(x, sizes)[rows], single(x[rows]), rtol=0, atol=1e-12)
    gradients_agree(lambda x: stacked(x, sizes), x, stacked)


# ------------------------------------------------------------- distillation


@pytest.mark.parametrize("length", [1, 2, 3, 8, 63])
@pytest.mark.parametrize("sizes", [[3, 3], [0, 4], [5]])
def test_distil_equals_convolution_plus_maximum(length: int, sizes: list[int]) -> None:
    torch.manual_seed(0)
    module = Distil(len(sizes), WIDTH).double()
    x = numbers(sum(sizes), length, WIDTH)
    with torch.no_grad():
        found = module(x, sizes)
        assert found.shape == (sum(sizes), (length - 1) // 2 + 1, WIDTH)
        assert found.shape[1] == distilled_length(length)
        for g, rows in runs(sizes):
            for r in range(rows.start, rows.stop):
                wanted = slow_distil(x[r], *member(module.conv, g))
                assert torch.allclose(found[r], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_the_gradient_of_distil_is_that_of_convolution_plus_maximum(length: int) -> None:
    torch.manual_seed(0)
    module = Distil(3, WIDTH).double()
    sizes = [2, 0, 3]
    x = numbers(5, length, WIDTH).requires_grad_()
    weights = numbers(5, distilled_length(length), WIDTH, seed=5)
    (module(x, sizes) * weights).sum().backward()
    conv = module.conv
    assert x.grad is not None
    assert conv.weight.grad is not None
    assert conv.bias.grad is not None
    for g, some in runs(sizes):
        weight, bias = (w.clone().requires_grad_() for w in member(conv, g))
        rows = x.detach()[some].clone().requires_grad_()
        plain = torch.stack([plain_distil(row, weight, bias) for row in rows])
        (plain * weights[some]).sum().backward()
        assert rows.grad is not None
        assert torch.allclose(x.grad[some], rows.grad, rtol=0, atol=1e-12)
        assert torch.allclose(conv.weight.grad[g], weight.grad, rtol=0, atol=1e-12)
        assert torch.allclose(conv.bias.grad[g, 0], bias.grad, rtol=0, atol=1e-12)
    assert not conv.weight.grad[1].any()


def plain_distil(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    turned = x.T[None]
    kernel = weight.view(3, WIDTH, WIDTH).permute(2, 1, 0)
    conv = nn.functional.conv1d(turned, kernel, bias, stride=2, padding=1)
    return (conv + nn.functional.max_pool1d(turned, 3, 2, 1))[0].T


# -------------------------------------------------------------------- layer


def test_feed_forward_equals_its_formula() -> None:
    torch.manual_seed(0)
    module = FeedForward(3, WIDTH, 1.5, 0.0).double()
    assert module.rise.weight.shape == (3, WIDTH, 12)
    x, sizes = numbers(5, WIDTH), [2, 0, 3]
    for g, rows in runs(sizes):
        wanted = slow_feed_forward(x[rows], member(module.rise, g), member(module.fall, g))
        assert torch.allclose(module(x, sizes)[rows], wanted, rtol=0, atol=1e-12)
    gradients_agree(lambda x: module(x, sizes), x, module)


def test_the_gradient_of_feed_forward_sees_its_dropout() -> None:
    torch.manual_seed(0)
    module = FeedForward(2, WIDTH, 1.5, 0.4).double().train()
    x, sizes = numbers(5, WIDTH), [2, 3]

    def run(x: Tensor) -> Tensor:
        for part in (module.inner, module.outer):
            part.generator = torch.Generator().manual_seed(3)
        return module(x, sizes)

    assert (run(x) == 0).any()
    gradients_agree(run, x, module)


@pytest.mark.parametrize("distil", [False, True])
def test_layer_equals_its_formula(distil: bool) -> None:
    module = layer(2, 11, distil=distil)
    x, sizes = numbers(4, 11, WIDTH), [3, 1]
    v = torch.tensor([2.4, 5.0, 1.0, 3.3], dtype=torch.float64)
    with torch.no_grad():
        found = module(x, v, sizes)
        for g, rows in runs(sizes):
            for r in range(rows.start, rows.stop):
                wanted = slow_layer(module, x[r], float(v[r]), g)
                assert torch.allclose(found[r], wanted, rtol=0, atol=1e-12)


def slow_layer(module: EncoderLayer, x: Tensor, v: float, g: int) -> Tensor:
    """``x ← LN(x + Attn(x, v))``, distil, ``x ← LN(x + FF(x))`` for one row."""
    attention = module.attention
    attended = slow_attention(
        x, v, member(attention.project, g), member(attention.out, g), 2, attention.sampled
    )
    x = slow_norm(module.attention_norm, x + attended, g)
    if module.distil is not None:
        x = slow_distil(x, *member(module.distil.conv, g))
    forward = module.feed_forward
    fed = slow_feed_forward(x, member(forward.rise, g), member(forward.fall, g))
    return slow_norm(module.feed_forward_norm, x + fed, g)


def slow_norm(norm: StackedNorm, x: Tensor, g: int) -> Tensor:
    centred = x - x.mean(dim=1, keepdim=True)
    deviation = torch.sqrt((centred**2).mean(dim=1, keepdim=True) + 1e-5)
    return centred / deviation * norm.weight[g, 0] + norm.bias[g, 0]


def test_members_do_not_touch_each_other() -> None:
    module = layer(3, 10)
    x, v = numbers(6, 10, WIDTH), torch.full((6,), 2.5, dtype=torch.float64)
    with torch.no_grad():
        whole = module(x, v, [2, 2, 2])
        some = torch.tensor([0, 1, 4, 5])
        found = module(x[some], v[some], [2, 0, 2])
    assert torch.allclose(found, whole[some], rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 5, 63])
def test_odd_and_short_lengths_train(length: int) -> None:
    module = layer(2, length).train()
    x = numbers(6, length, WIDTH).requires_grad_()
    result = module(x, torch.full((6,), 1.7, dtype=torch.float64), [3, 3])
    assert result.shape == (6, distilled_length(length), WIDTH)
    result.sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
