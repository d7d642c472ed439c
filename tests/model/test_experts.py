from __future__ import annotations

import pytest
import torch
from slow_experts import slow_experts
from torch import Tensor

from maestro_ts.model.experts import Experts
from maestro_ts.model.heads import ExpertHead
from maestro_ts.recipe import ExpertSettings


def experts(count: int = 4, top_k: int = 1, *, out: int = 8, balance: str = "none") -> Experts:
    torch.manual_seed(0)
    settings = ExpertSettings(count=count, top_k=top_k, balance=balance)  # type: ignore[arg-type]
    return Experts(8, out, settings).double()


def tokens(n: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 8, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("count", "top_k"), [(4, 1), (4, 2), (3, 3), (1, 1)])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_equals_the_loop(count: int, top_k: int, shift: float) -> None:
    module = experts(count, top_k, out=5)
    module.bias[0] = shift
    x = tokens(30)
    with torch.no_grad():
        found, chosen = module(x)
        wanted, named = slow_experts(x, module.router, list(module.experts), module.bias, top_k)
    assert chosen.tolist() == named
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)


def test_bias_moves_the_choice_and_not_the_weight() -> None:
    module = experts(2)
    x = tokens(1)
    with torch.no_grad():
        scores = module.router(x).softmax(dim=-1)[0]
        module.bias[:] = torch.tensor([5.0, -5.0], dtype=torch.float64)
        found, chosen = module(x)
        assert chosen.tolist() == [[0]]
        assert torch.allclose(found, scores[0] * module.experts[0](x), rtol=0, atol=1e-12)


def test_weights_are_shares_not_raw_logits() -> None:
    module = experts(4, 4)
    with torch.no_grad():
        for expert in module.experts:
            expert[2].weight.zero_()
            expert[2].bias.fill_(1.0)
        found, _ = module(tokens(6))
    assert torch.allclose(found, torch.ones_like(found))


def test_loss_free_balance_by_hand() -> None:
    module = experts(4, balance="loss_free").train()
    module.load[:] = torch.tensor([10.0, 2.0, 4.0, 0.0])  # mean 4
    module.after_step()
    rate = module.settings.balance_rate
    assert module.bias.tolist() == pytest.approx([-rate, rate, 0.0, rate])
    assert not module.load.any()


def test_loss_free_balance_moves_loads_towards_their_mean() -> None:
    module = experts(4, balance="loss_free").train()
    module.settings = module.settings.model_copy(update={"balance_rate": 0.01})
    with torch.no_grad():
        module.router.bias[0] += 1.0  # one expert takes nearly all
    x = tokens(200)

    def spread() -> float:
        _, chosen = module(x)
        counts = torch.bincount(chosen.flatten(), minlength=4).double()
        return float(counts.std())

    before = spread()
    for _ in range(100):
        module.load.zero_()
        module(x)
        module.after_step()
    assert spread() < 0.3 * before


def test_evaluation_counts_no_load_and_no_gradient_moves_biases() -> None:
    module = experts(4, balance="loss_free")
    module.eval()(tokens(9))
    assert not module.load.any()
    module.train()(tokens(9))
    assert float(module.load.sum()) == 9
    assert not module.bias.requires_grad
    assert "bias" in module.state_dict()
    plain = experts(4).train()
    plain(tokens(9))
    plain.after_step()
    assert not plain.bias.any()


def test_experts_that_serve_nobody_do_no_harm() -> None:
    module = experts(4)
    module.bias[2] = 9.0
    x = tokens(5)
    found, chosen = module(x)
    assert chosen.unique().tolist() == [2]
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert module.experts[0][0].weight.grad is None or not module.experts[0][0].weight.grad.any()


def test_expert_head_returns_classes() -> None:
    torch.manual_seed(0)
    head = ExpertHead(8, 3, ExpertSettings(count=2)).double()
    x = tokens(5)
    wanted, _ = slow_experts(x, head.mixer.router, list(head.mixer.experts), head.mixer.bias, 1)
    assert torch.allclose(head(x), wanted, rtol=0, atol=1e-12)
