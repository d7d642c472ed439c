from __future__ import annotations

import math
from statistics import NormalDist

import pytest
import torch

from maestro_ts.model.embedding import SymbolEmbedding, sinusoidal_positions


def embedding(kind: str, channels: int = 2, views: int = 3) -> SymbolEmbedding:
    torch.manual_seed(0)
    return SymbolEmbedding(channels, views, 20, 4, kind)  # type: ignore[arg-type]


def centre(symbol: int) -> float:
    return NormalDist().inv_cdf((symbol - 0.5) / 20)


def test_ordinal_embedding_by_its_formula() -> None:
    module = embedding("ordinal")
    symbols = torch.tensor([[[1, 20, 0], [7, 0, 13]]], dtype=torch.uint8)
    weight, bias = module.map.weight, module.map.bias
    # Σ present · W[slot] c_s + (1 − present) · miss[slot] + b, slots channel by channel.
    wanted = bias.clone()
    for slot, s in enumerate([1, 20, 0, 7, 0, 13]):
        value, missing = weight[:, 2 * slot], weight[:, 2 * slot + 1]
        wanted = wanted + (missing if s == 0 else centre(s) * value)
    assert torch.allclose(module(symbols)[0], wanted, atol=1e-5)


def test_ordinal_symbols_are_ordered_and_missing_is_no_number() -> None:
    module = embedding("ordinal", 1, 1)
    line = module(torch.arange(1, 21, dtype=torch.uint8)[:, None, None])
    way = module.map.weight[:, 0]
    steps = line.diff(dim=0) @ way / (way @ way)
    assert (steps > 0).all()
    gap = module(torch.zeros(1, 1, 1, dtype=torch.uint8))[0] - module.map.bias
    assert torch.allclose(gap, module.map.weight[:, 1], atol=1e-6)


def test_table_embedding_by_its_formula() -> None:
    module = embedding("table")
    symbols = torch.tensor([[1, 20, 0], [7, 0, 13]], dtype=torch.uint8)
    rows = [module.table.weight[21 * slot + s] for slot, s in enumerate([1, 20, 0, 7, 0, 13])]
    wanted = torch.stack(rows).sum(dim=0) / math.sqrt(6) + module.bias
    assert torch.allclose(module(symbols), wanted, atol=1e-6)


def test_id_embedding_is_the_published_one() -> None:
    module = embedding("id", 1, 1)
    for s in (0, 3, 20):
        found = module(torch.tensor([[s]], dtype=torch.uint8))
        assert torch.allclose(found, module.map.weight[:, 0] * s + module.map.bias, atol=1e-5)


@pytest.mark.parametrize("kind", ["ordinal", "table", "id"])
def test_shapes_and_precision(kind: str) -> None:
    module = embedding(kind)
    symbols = torch.randint(0, 21, (5, 7, 2, 3), dtype=torch.uint8)
    single = module(symbols)
    assert single.shape == (5, 7, 4)
    double = module.double()(symbols)
    assert double.dtype == torch.float64
    assert torch.allclose(single.double(), double, atol=1e-5)


def test_positions_by_their_formula() -> None:
    table = sinusoidal_positions(7, 6)
    assert table.dtype == torch.get_default_dtype()
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert float(table[t, 2 * i]) == pytest.approx(math.sin(angle), abs=1e-6)
            assert float(table[t, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=1e-6)
