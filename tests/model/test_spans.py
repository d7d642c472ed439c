from __future__ import annotations

import pytest
import torch

from maestro_ts.model.spans import Spans, pack

CPU = torch.device("cpu")


def test_pack_moves_used_slots_to_the_left_in_order() -> None:
    slots = torch.tensor([[4, -1, 6, 7], [-1, -1, -1, 9], [-1, 2, 3, -1]])
    packed, lengths = pack(slots)
    assert lengths.tolist() == [3, 1, 2]
    assert packed.tolist() == [[4, 6, 7], [9, 0, 0], [2, 3, 0]]


def test_pack_of_nothing() -> None:
    packed, lengths = pack(torch.full((2, 3), -1))
    assert packed.shape == (2, 1)
    assert lengths.tolist() == [0, 0]
    packed, lengths = pack(torch.zeros(0, 3, dtype=torch.int64))
    assert packed.shape == (0, 1)


def test_places_of_real_tokens() -> None:
    spans = Spans(torch.tensor([2, 0, 3]), 3, CPU)
    assert not spans.full
    assert spans.there.tolist() == [[True, True, False], [False] * 3, [True] * 3]
    assert spans.flat.tolist() == [0, 1, 6, 7, 8]
    assert spans.owner.tolist() == [0, 0, 2, 2, 2]
    assert Spans(torch.tensor([3, 3]), 3, CPU).full


def test_scatter_undoes_gather_and_zeroes_padding() -> None:
    spans = Spans(torch.tensor([2, 4, 1]), 4, CPU)
    x = torch.randn(3, 4, 5)
    assert spans.gather(x).shape == (7, 5)
    assert torch.equal(spans.scatter(spans.gather(x)), x * spans.there[..., None])


@pytest.mark.parametrize("longest", [1, 2, 7, 8, 63])
def test_distilled_lengths_are_those_of_each_row(longest: int) -> None:
    lengths = torch.arange(1, longest + 1)
    shorter = Spans(lengths, longest, CPU).distilled()
    assert shorter.host_lengths.tolist() == [(n - 1) // 2 + 1 for n in lengths.tolist()]
    assert shorter.longest == (longest - 1) // 2 + 1
    assert shorter.there.shape == (longest, shorter.longest)
