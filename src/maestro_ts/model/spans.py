"""`Spans`: which tokens of a packed batch are real; made on the host, used by every layer."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Spans", "pack"]


class Spans:
    """Rows of unequal length whose real tokens stand on the left.

    Parameters
    ----------
    host_lengths : [B], int64, on the CPU
    longest : int
        Length L of the padded rows.
    device : torch.device

    Attributes
    ----------
    lengths : [B], int64
    there : [B, L], bool, True for real tokens
    flat : [N], int64, places of the real tokens in the flattened [B · L]
    owner : [N], int64, the row of each
    """

    def __init__(self, host_lengths: Tensor, longest: int, device: torch.device) -> None:
        self.host_lengths, self.longest = host_lengths, longest
        there = torch.arange(longest) < host_lengths[:, None]
        flat = there.flatten().nonzero()[:, 0]
        self.full = len(flat) == there.numel()
        self.lengths = host_lengths.to(device, non_blocking=True)
        self.there = there.to(device, non_blocking=True)
        self.flat = flat.to(device, non_blocking=True)
        self.owner = (flat // longest).to(device, non_blocking=True)

    def distilled(self) -> Spans:
        """After one distillation: ``⌊(n − 1) / 2⌋ + 1`` tokens each."""
        shorter = torch.div(self.host_lengths - 1, 2, rounding_mode="floor") + 1
        return Spans(shorter, (self.longest - 1) // 2 + 1, self.lengths.device)

    def gather(self, x: Tensor) -> Tensor:
        """Real tokens of [B, L, D] one after another, [N, D]."""
        return x.flatten(0, 1).index_select(0, self.flat)

    def scatter(self, tokens: Tensor) -> Tensor:
        """Inverse of `gather`; padding is 0."""
        blank = tokens.new_zeros(len(self.host_lengths) * self.longest, tokens.shape[-1])
        filled = blank.index_copy(0, self.flat, tokens)
        return filled.view(len(self.host_lengths), self.longest, -1)


def pack(slots: Tensor) -> tuple[Tensor, Tensor]:
    """Move the used slots of each row to the left and cut what no row uses.

    Parameters
    ----------
    slots : [B, S], int64, on the CPU; −1 marks an unused slot

    Returns
    -------
    packed : [B, S'], unused entries 0; lengths : [B]
    """
    used = slots >= 0
    lengths = used.sum(dim=1)
    order = (~used).to(torch.uint8).argsort(dim=1, stable=True)
    longest = max(int(lengths.max()), 1) if len(lengths) else 1
    return slots.gather(1, order)[:, :longest].clamp(min=0), lengths
