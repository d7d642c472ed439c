from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from maestro_ts.model.budget import EPSILON, Budget, rank_weights
from maestro_ts.recipe import BudgetSettings


def budget(rule: str = "fractional", modalities: int = 2, **changes: float) -> Budget:
    torch.manual_seed(0)
    settings = BudgetSettings(rule=rule, **changes)  # type: ignore[arg-type]
    return Budget(modalities, 4, settings).double()


def set_gate(module: Budget, bias: tuple[float, ...], weight: float = 1.0) -> None:
    """Hidden units are the gate's input; logits are ``weight · hidden + bias``."""
    first, last = module.availability[0], module.availability[2]
    with torch.no_grad():
        first.weight.copy_(torch.eye(len(bias)))  # type: ignore[operator]
        first.bias.zero_()  # type: ignore[operator]
        last.weight.copy_(weight * torch.eye(len(bias)))  # type: ignore[operator]
        last.bias.copy_(torch.tensor(bias))  # type: ignore[operator]


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def weights(v: float, ranks: int, softness: float = 0.0, width: float = 0.5) -> list[float]:
    result: Tensor = rank_weights(
        torch.tensor(v, dtype=torch.float64),
        torch.arange(ranks, dtype=torch.float64),
        softness,
        width,
    )
    return [float(w) for w in result]


PRESENT = torch.tensor([[True, True], [True, False], [False, False]])
SUMMARIES = torch.zeros(3, 2, 4, dtype=torch.float64)


def test_weights_are_exact_at_integers_and_real_between() -> None:
    assert weights(3.0, 5) == [1, 1, 1, 0, 0]
    assert weights(0.0, 2) == [0, 0]
    assert weights(2.25, 4) == [1, 1, 0.25, 0]
    assert sum(weights(2.7, 6)) == pytest.approx(2.7, abs=1e-12)


def test_softness_anneals_to_the_exact_weights() -> None:
    soft = [sigmoid((2.25 - r - 0.5) / 0.5) for r in range(4)]
    assert weights(2.25, 4, softness=1.0) == pytest.approx(soft, abs=1e-12)
    half = [(a + b) / 2 for a, b in zip(soft, [1, 1, 0.25, 0], strict=True)]
    assert weights(2.25, 4, softness=0.5) == pytest.approx(half, abs=1e-12)
    assert weights(2.25, 4, softness=1e-9) == pytest.approx([1, 1, 0.25, 0], abs=1e-8)


def test_fractional_budgets_by_hand() -> None:
    module = budget()
    set_gate(module, (0.5, -1.0))
    with torch.no_grad():
        module.utility[0] = torch.tensor([1.0, 0.0, 0.0, 2.0])
    summaries = SUMMARIES.clone()
    summaries[0, 0] = torch.tensor([1.0, 5.0, 5.0, 3.0])
    found = module(PRESENT, summaries)
    # Utility: (1 · 1 + 2 · 3) / √4 = 3.5.
    wanted = [
        [5 * sigmoid(1.5 + 3.5), 5 * sigmoid(0.0)],
        [5 * sigmoid(1.5), 0.0],
        [0.0, 0.0],
    ]
    assert torch.allclose(found, torch.tensor(wanted, dtype=torch.float64), rtol=0, atol=1e-12)
    v = module.queries(found[:1], 20)
    assert torch.allclose(v, found[:1] * math.log(20), rtol=0, atol=1e-12)


def test_a_present_modality_has_at_least_one_query_and_keeps_its_gradient() -> None:
    module = budget()
    set_gate(module, (-9.0, -9.0))
    budgets = module(PRESENT[:1], SUMMARIES[:1])
    v = module.queries(budgets, 32)
    assert torch.allclose(v, torch.ones_like(v))
    assert (budgets < 0.01).all()
    v.sum().backward()
    bias = module.availability[2].bias
    assert isinstance(bias.grad, Tensor)
    # Straight through: the slope of the real number below the floor.
    g = sigmoid(-8.0)
    slope = 5 * g * (1 - g) * math.log(32)
    assert torch.allclose(bias.grad, torch.full_like(bias, slope), rtol=1e-9)


@pytest.mark.parametrize("length", [1, 2])
def test_one_token_counts_as_two(length: int) -> None:
    module = budget()
    v = module.queries(torch.tensor([[4.0]], dtype=torch.float64), length)
    assert float(v) == pytest.approx(4.0 * math.log(2))


def test_formulation_a_floors_and_sees_epsilon() -> None:
    module = budget("paper")
    set_gate(module, (0.0, -3.0))
    budgets = module(PRESENT, SUMMARIES).detach()
    # Inputs 1 where present, ε where absent.
    assert float(budgets[0, 0]) == pytest.approx(5 * sigmoid(1.0))  # 3.66
    assert float(budgets[0, 1]) == pytest.approx(5 * sigmoid(-2.0))  # 0.60
    v = module.queries(budgets, 20)  # ⌈ln 20⌉ = 3
    assert v.tolist() == [[9.0, 0.0], [9.0, 0.0], [0.0, 0.0]]
    set_gate(module, (0.0, 0.0))
    with torch.no_grad():
        module.availability[2].weight.copy_(torch.tensor([[0.0, 1000.0], [0.0, 0.0]]))  # type: ignore[operator]
    missing = module(PRESENT, SUMMARIES).detach()
    assert float(missing[1, 0]) == pytest.approx(5 * sigmoid(1000 * EPSILON))


def test_formulation_b_ceils_and_gives_a_missing_modality_one() -> None:
    module = budget("code")
    set_gate(module, (0.0, -3.0))
    budgets = module(PRESENT, SUMMARIES).detach()
    assert float(budgets[0, 0]) == pytest.approx(5 * sigmoid(1.0))  # 3.66
    assert float(budgets[0, 1]) == pytest.approx(5 * sigmoid(-2.0))  # 0.60
    assert float(budgets[1, 1]) == pytest.approx(1e-3)
    v = module.queries(budgets, 20)
    assert v.tolist() == [[12.0, 3.0], [12.0, 3.0], [3.0, 3.0]]
    with torch.no_grad():
        module.availability[2].weight.copy_(torch.tensor([[0.0, 1000.0], [0.0, 0.0]]))  # type: ignore[operator]
    unseen = module(PRESENT, SUMMARIES).detach()
    assert float(unseen[1, 0]) == pytest.approx(5 * sigmoid(0.0))  # no ε in the gate


def test_fixed_budgets_are_the_largest() -> None:
    module = budget("fixed", beta=4.0)
    assert module(PRESENT, SUMMARIES).tolist() == [[4.0, 4.0], [4.0, 0.0], [0.0, 0.0]]
    assert not list(module.parameters())


@pytest.mark.parametrize(("rule", "learns"), [("fractional", True), ("paper", False)])
def test_who_learns(rule: str, learns: bool) -> None:
    module = budget(rule)
    v = module.queries(module(PRESENT, SUMMARIES + 1.0), 20)
    assert v.requires_grad == learns
    if learns:
        v.sum().backward()
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.any(), name


def test_formulation_b_passes_no_gradient() -> None:
    module = budget("code")
    assert not module.queries(module(PRESENT, SUMMARIES), 20).requires_grad


def test_price_by_hand() -> None:
    module = budget(price=0.1)
    budgets = torch.tensor([[3.0, 1.0], [2.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    price = module.price(budgets, PRESENT)
    assert price is not None
    assert float(price) == pytest.approx(0.1 * (3 + 1 + 2) / 3)
    nothing = module.price(0 * budgets, torch.zeros(3, 2, dtype=torch.bool))
    assert nothing is not None
    assert float(nothing) == 0.0
    assert budget().price(budgets, PRESENT) is None
    assert budget("code", price=0.1).price(budgets, PRESENT) is None


@pytest.mark.parametrize("modalities", [1, 3, 10])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("start", [0.5, 0.95])
def test_modalities_start_equal_and_no_unit_is_dead(
    modalities: int, seed: int, start: float
) -> None:
    torch.manual_seed(seed)
    module = Budget(modalities, 4, BudgetSettings(price=1.0, start=start))
    present = torch.ones(1, modalities, dtype=torch.bool)
    budgets = module(present, torch.zeros(1, modalities, 4))
    assert torch.allclose(budgets, torch.full_like(budgets, 5.0 * start), rtol=0.02)
    budgets.sum().backward()
    first = module.availability[0]
    assert isinstance(first.bias.grad, Tensor)
    assert (first.bias.grad != 0).all()
