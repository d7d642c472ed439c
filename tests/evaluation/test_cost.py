"""The counter on networks of which every product is known, however it is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.evaluation.cost import count_components, count_macs, count_parameters
from maestro_ts.evaluation.pattern_cost import (
    PatternCost,
    count_patterns,
    counted_patterns,
    few_patterns,
)

B, H, L, E = 2, 3, 7, 4
D = H * E


def batch(there: list[bool] | None = None) -> Batch:
    present = torch.tensor([there or [True]] * B)
    x = torch.randn(B, L, D, generator=torch.Generator().manual_seed(0))
    return Batch({"x": x}, {}, present, present, torch.arange(B))


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v)


def matmuls(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-1, -2)).softmax(dim=-1) @ v


def batched(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    rows = [t.reshape(B * H, L, E) for t in (q, k, v)]
    score = torch.baddbmm(torch.zeros(1), rows[0], rows[1].transpose(1, 2))
    return torch.bmm(score.softmax(dim=-1), rows[2]).view(B, H, L, E)


def einsums(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    share = torch.einsum("bhqe,bhke->bhqk", q, k).softmax(dim=-1)
    return torch.einsum("bhqk,bhke->bhqe", share, v)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return matmuls(q, k, v)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise NotImplementedError


def own_function(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    result: Tensor = _Function.apply(q, k, v)
    return result


def without_gradient(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    with torch.inference_mode():
        return matmuls(q, k, v)


class Toy(Network):
    """Two projections around an attention; the second is computed outside its own module."""

    def __init__(self, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.attend = attend
        self.inner = nn.Module()
        self.inner.rise = nn.Linear(D, 3 * D)
        self.weights = nn.ParameterDict({"fall": torch.randn(2, D, D)})

    def forward(self, batch: Batch) -> Output:
        x = batch.inputs["x"]
        q, k, v = self.inner.rise(x).view(B, L, 3, H, E).permute(2, 0, 3, 1, 4)
        mixed = self.attend(q, k, v).transpose(1, 2).reshape(1, B * L, D)
        chosen = self.weights["fall"][torch.tensor([1])].transpose(1, 2)  # as of one member of two
        return Output(logits=torch.bmm(mixed, chosen).view(B, L, D).mean(dim=1))


@pytest.mark.parametrize(
    "attend", [fused, matmuls, batched, einsums, own_function, without_gradient]
)
def test_attention_is_counted_however_it_is_computed(attend: Any) -> None:
    toy = Toy(attend)
    assert count_components(toy, batch()) == {
        "inner": B * L * D * 3 * D,
        "other": 2 * B * H * L * L * E,  # two activations, in no module of a name
        "weights": B * L * D * D,
    }
    assert count_macs(toy, batch()) == B * L * D * 4 * D + 2 * B * H * L * L * E
    assert count_parameters(toy) == D * 3 * D + 3 * D + 2 * D * D


def test_what_is_looked_up_is_no_weight() -> None:
    class Words(Network):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(9, D)

        def forward(self, batch: Batch) -> Output:
            words = self.table(batch.index)
            return Output(logits=words @ words.T)

    assert count_components(Words(), batch()) == {"other": B * B * D}


class Layers(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, batch: Batch) -> Any:
        return self.layer(batch.inputs["x"])


class Vectors(nn.Module):
    """Matrix by vector, the same with a sum, and vector by vector."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmv(x[0] @ self.weight, x[1], self.weight).sum() + self.weight @ self.weight


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        # PyTorch has fused kernels for these, which its own counter takes for nothing on a CPU.
        (nn.LSTM(D, 5, batch_first=True), B * L * 4 * 5 * (D + 5)),
        (nn.GRU(D, 5, batch_first=True), B * L * 3 * 5 * (D + 5)),
        (
            nn.TransformerEncoderLayer(D, 2, 10, batch_first=True),
            B * L * (4 * D * D + 2 * D * 10) + 2 * B * L * L * D,
        ),
        (Vectors(), 2 * L * D + D),
        (nn.Conv1d(L, 6, 3, padding=1), B * D * 6 * 3 * L),
    ],
    ids=lambda p: type(p).__name__,
)
def test_layers_with_kernels_of_their_own(layer: nn.Module, macs: int) -> None:
    assert count_macs(Layers(layer), batch()) == macs


def test_counting_leaves_no_trace() -> None:
    toy = Toy(fused).train()
    before = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    count_components(toy, batch())
    assert toy.training
    assert all(p.grad is None for p in toy.parameters())
    assert before == (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in toy.modules())

    def broken(*_: Tensor) -> Tensor:
        raise ZeroDivisionError

    toy.attend = broken
    with pytest.raises(ZeroDivisionError):
        count_components(toy, batch())
    assert toy.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in toy.modules())


# -------------------------------------------------------- patterns of absence


def names(n: int) -> tuple[str, ...]:
    return tuple(f"m{i:02d}" for i in range(n))


@pytest.mark.parametrize("n", [2, 5, 8])
def test_every_pattern_of_few_modalities(n: int) -> None:
    found = counted_patterns(names(n))
    assert len(found) == len(set(found)) == 2**n - 1
    assert () not in found


def by_size(found: list[tuple[str, ...]]) -> dict[int, int]:
    """Size → how many; in order, each once, and every modality about equally often."""
    assert len(found) == len(set(found))
    assert all(list(p) == sorted(p) for p in found)
    sizes = [len(p) for p in found]
    assert sizes == sorted(sizes, reverse=True)
    for k in set(sizes):
        often = [sum(name in p for p in found if len(p) == k) for name in found[0]]
        assert max(often) - min(often) <= 1
    return {k: sizes.count(k) for k in sizes}


@pytest.mark.parametrize("n", [9, 13, 40])
def test_drawn_patterns_of_many_modalities(n: int) -> None:
    found = counted_patterns(names(n))
    assert found == counted_patterns(names(n))
    assert by_size(found) == {n: 1, n - 1: n, **dict.fromkeys(range(2, n - 1), 8), 1: n}


def test_few_patterns_for_means_and_ranges() -> None:
    assert few_patterns(["a"]) == [("a",)]
    assert few_patterns(names(6)) == counted_patterns(names(6))
    assert by_size(few_patterns(names(7))) == {7: 1, **dict.fromkeys(range(1, 7), 4)}
    assert by_size(few_patterns(names(13))) == {13: 1, **dict.fromkeys(range(1, 13), 4)}
    many = by_size(few_patterns(names(40)))
    assert len(many) == 13
    assert {1, 39, 40} < set(many)


def test_one_modality_costs_what_is_saved_without_it() -> None:
    macs = {("a",): 10, (): 3}
    assert counted_patterns(["a"]) == list(macs)
    cost = PatternCost(("a",), macs)
    assert [(r.own, r.alone) for r in cost.by_modality()] == [(7, 10)]
    assert [(r.missing, r.patterns, r.macs) for r in cost.by_missing()] == [(0, 1, 10)]


def test_patterns_are_told_apart() -> None:
    """A network whose cost per modality is known: the m-th multiplies m + 1 rows."""

    class Rows(Network):
        def __init__(self) -> None:
            super().__init__()
            self.maps = nn.ModuleList(nn.Linear(D, 1, bias=False) for _ in range(3))

        def forward(self, batch: Batch) -> Output:
            x = batch.inputs["x"][0]
            there = batch.present[0].tolist()
            rows = [m(x[: i + 1]) for i, m in enumerate(self.maps) if there[i]]
            return Output(logits=torch.cat(rows))

    patterns = counted_patterns("abc")
    cost = count_patterns(Rows(), "abc", lambda p: batch([n in p for n in "abc"]), patterns)
    assert cost.full == 6 * D
    assert [(r.missing, r.patterns, r.macs, r.lowest, r.highest) for r in cost.by_missing()] == [
        (0, 1, 6 * D, 6 * D, 6 * D),
        (1, 3, 4 * D, 3 * D, 5 * D),
        (2, 3, 2 * D, D, 3 * D),
    ]
    assert [(r.modality, r.own, r.alone) for r in cost.by_modality()] == [
        ("a", D, D),
        ("b", 2 * D, 2 * D),
        ("c", 3 * D, 3 * D),
    ]
