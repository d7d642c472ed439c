from __future__ import annotations

import pytest
import torch

from maestro_ts.model.spans import Block, Spans

CPU = torch.device("cpu")


def test_windows_stand_by_length_and_those_of_one_length_are_a_block() -> None:
    used = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1], [1, 0, 0, 0]], dtype=torch.bool)
    spans = Spans.of_slots(used, CPU)
    assert spans.order == [1, 3, 0, 2]
    assert spans.lengths == [1, 1, 3, 3]
    assert spans.blocks == [Block(0, 2, 1), Block(2, 2, 3)]
    assert spans.owner.tolist() == [1, 3, 0, 0, 0, 2, 2, 2]


def test_a_block_is_a_view_of_its_tokens() -> None:
    spans = Spans([2, 0, 1], [2, 4, 4], CPU)
    run = torch.arange(10.0)[:, None]
    view = spans.blocks[1].of(run)
    assert view.shape == (2, 4, 1)
    assert view[1, :, 0].tolist() == [6, 7, 8, 9]
    view.zero_()
    assert not run[2:].any()


@pytest.mark.parametrize("longest", [1, 2, 7, 8, 63])
def test_distilled_lengths_are_those_of_each_window(longest: int) -> None:
    lengths = list(range(1, longest + 1))
    spans = Spans(list(range(longest)), lengths, CPU)
    shorter = spans.distilled()
    assert shorter.lengths == [(n - 1) // 2 + 1 for n in lengths]
    assert shorter.order == spans.order
    assert len(shorter.owner) == sum(shorter.lengths)
