"""`Spans`: windows of unequal length as one run of tokens, without padding.

Windows are ordered by length, so that those of one length are a block and any view of it is free.
Made on the host, used by every layer of the fusion.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Block", "Spans"]


class Block(NamedTuple):
    """Windows of one length: tokens ``first … first + rows · length`` of the run."""

    first: int
    rows: int
    length: int

    def of(self, tokens: Tensor) -> Tensor:
        """Its part of a run [N, D], as [rows, length, D]."""
        part = tokens[self.first : self.first + self.rows * self.length]
        return part.view(self.rows, self.length, -1)


class Spans:
    """Which tokens of a run [N, D] belong to which window.

    Parameters
    ----------
    order : list of int
        Windows from the shortest to the longest.
    lengths : list of int
        Tokens of each, in that order, at least one.
    device : torch.device

    Attributes
    ----------
    blocks : list of Block
    owner : [N], int64, the window of each token
    """

    def __init__(self, order: list[int], lengths: list[int], device: torch.device) -> None:
        self.order, self.lengths = order, lengths
        self.blocks: list[Block] = []
        first = 0
        for length, group in groupby(lengths):
            rows = len(list(group))
            self.blocks.append(Block(first, rows, length))
            first += rows * length
        owner = torch.tensor(order).repeat_interleave(torch.tensor(lengths))
        self.owner = owner.to(device, non_blocking=True)

    @classmethod
    def of_slots(cls, used: Tensor, device: torch.device) -> Spans:
        """From [B, S], bool, on the CPU: the slots that each window uses."""
        lengths = used.sum(dim=1)
        order = lengths.argsort(stable=True)
        return cls(order.tolist(), lengths[order].tolist(), device)

    def distilled(self) -> Spans:
        """After one distillation: ``⌊(n − 1) / 2⌋ + 1`` tokens each."""
        return Spans(self.order, [(n - 1) // 2 + 1 for n in self.lengths], self.owner.device)
