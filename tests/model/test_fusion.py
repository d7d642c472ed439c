from __future__ import annotations

from typing import Any

import pytest
import torch
from slow_attention import slow_attention, slow_distil, slow_feed_forward
from slow_experts import slow_experts
from torch import Tensor

from maestro_ts.model.attention import Attention
from maestro_ts.model.experts import Experts
from maestro_ts.model.feed_forward import FeedForward
from maestro_ts.model.fusion import FusionLayer
from maestro_ts.model.spans import Spans
from maestro_ts.recipe import ExpertSettings

WIDTH, BETA = 8, 2.0


def numbers(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def fusion(longest: int, *, distil: bool, experts: bool = True) -> FusionLayer:
    torch.manual_seed(0)
    attention = Attention(
        1,
        WIDTH,
        2,
        longest=longest,
        beta=BETA,
        dense=False,
        dropout=0.0,
        soft_width=0.5,
    )
    mixer: Any = FeedForward(1, WIDTH, 2.0, 0.0)
    if experts:
        mixer = Experts(WIDTH, WIDTH, ExpertSettings(count=3, top_k=2))
    layer = FusionLayer(WIDTH, attention, distil=distil, mixer=mixer, dropout=0.0).double()
    with torch.no_grad():
        for norm in (layer.attention_norm, layer.mixer_norm):
            norm.weight.copy_(numbers(WIDTH, seed=2))
            norm.bias.copy_(numbers(WIDTH, seed=3))
    return layer.eval()


def slow_row(layer: FusionLayer, x: Tensor) -> Tensor:
    """``x ← LN(x + Attn(x, β ⌈ln n⌉))``, distil, ``x ← LN(x + mixer(x))`` for one window."""
    attention = layer.attention
    n = len(x)
    units = next(u for u in range(1, 20) if 2.718281828459045**u >= max(n, 2))  # ⌈ln n⌉
    project = (attention.project.weight[0], attention.project.bias[0, 0])
    out = (attention.out.weight[0], attention.out.bias[0, 0])
    attended = slow_attention(x, BETA * units, project, out, 2, attention.sampled)
    x = layer.attention_norm(x + attended)
    if layer.distil is not None:
        x = slow_distil(x, layer.distil.conv.weight[0], layer.distil.conv.bias[0, 0])
    mixer = layer.mixer
    if isinstance(mixer, Experts):
        mixed, _ = slow_experts(x, mixer.router, list(mixer.experts), mixer.bias, 2)
    else:
        rise, fall = mixer.rise, mixer.fall
        mixed = slow_feed_forward(
            x, (rise.weight[0], rise.bias[0, 0]), (fall.weight[0], fall.bias[0, 0])
        )
    return layer.mixer_norm(x + mixed)


LENGTHS = [14, 2, 6, 9, 1, 6]


def run() -> tuple[Tensor, Spans]:
    used = torch.arange(14) < torch.tensor(LENGTHS)[:, None]
    return numbers(sum(LENGTHS), WIDTH), Spans.of_slots(used, torch.device("cpu"))


@pytest.mark.parametrize("distil", [False, True])
@pytest.mark.parametrize("experts", [False, True])
def test_equals_the_loops_window_by_window(distil: bool, experts: bool) -> None:
    layer = fusion(14, distil=distil, experts=experts)
    x, spans = run()
    with torch.no_grad():
        found, after, share = layer(x, spans)
        for number in range(len(LENGTHS)):
            mine = x[spans.owner == number]
            assert len(mine) == LENGTHS[number]
            wanted = slow_row(layer, mine)
            assert torch.allclose(found[after.owner == number], wanted, rtol=0, atol=1e-11)
    assert (share is not None) == experts


def test_every_token_loads_its_experts() -> None:
    layer = fusion(14, distil=False)
    layer.mixer.settings = layer.mixer.settings.model_copy(update={"balance": "loss_free"})
    layer.train()
    layer(*run())
    assert float(layer.mixer.load.sum()) == 2 * sum(LENGTHS)


def test_shares_are_those_of_each_window() -> None:
    layer = fusion(14, distil=False)
    seen: list[Tensor] = []
    layer.mixer.register_forward_hook(lambda _, __, out: seen.append(out[1]))
    x, spans = run()
    with torch.no_grad():
        _, _, share = layer(x, spans)
    assert share is not None
    for r, n in enumerate(LENGTHS):
        mine = seen[0][spans.owner == r].flatten()
        assert len(mine) == 2 * n
        counts = torch.bincount(mine, minlength=3) / (2 * n)
        assert torch.allclose(share[r], counts.to(share.dtype))
    assert layer.train()(x, spans)[2] is None


def test_a_shared_layer_is_added_to_the_experts() -> None:
    layer = fusion(14, distil=False)
    shared = FeedForward(1, WIDTH, 2.0, 0.0).double()
    added: list[Tensor] = []
    mixed: list[Tensor] = []
    shared.register_forward_hook(lambda _, __, out: added.append(out))
    layer.mixer.register_forward_hook(lambda _, __, out: mixed.append(out[0]))
    layer.shared = shared
    before: list[Tensor] = []
    layer.mixer_norm.register_forward_pre_hook(lambda _, args: before.append(args[0]))
    tokens: list[Tensor] = []
    layer.mixer.register_forward_pre_hook(lambda _, args: tokens.append(args[0]))
    with torch.no_grad():
        layer(*run())
    assert torch.equal(before[0], tokens[0] + (mixed[0] + added[0]))


def test_with_queries_for_all_nothing_is_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = fusion(14, distil=False)
    layer.attention.beta = 20.0
    with torch.no_grad():
        monkeypatch.setattr(layer.attention, "_places", None)
        found = layer(*run())[0]
        layer.attention.dense = True
        assert torch.equal(found, layer(*run())[0])
