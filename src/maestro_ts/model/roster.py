"""Who is there: the rows of the encoders, and where each window's tokens lie afterwards.

Made on the host from the presence mask, before anything is computed: no device is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Roster", "Rows"]


class Rows(NamedTuple):
    """Windows that have the modalities of one token length, member by member.

    An absent modality has no row, and costs nothing in an encoder.
    """

    members: list[int]  # modalities
    sizes: list[int]  # rows of each
    windows: tuple[Tensor, ...]  # [R_m] of each, int64
    cells: Tensor  # [R], int64: window · M + modality


class Roster:
    """Rows of a batch.

    Parameters
    ----------
    there : [B, M], bool, on the CPU
        What is encoded.
    groups : sequence of list of int
        Modalities of one token length.
    device : torch.device
    """

    def __init__(self, there: Tensor, groups: Sequence[list[int]], device: torch.device) -> None:
        self.there, self.device = there, device
        self.groups = [self.rows(group) for group in groups]

    def rows(self, members: list[int]) -> Rows:
        """Windows that have some modalities."""
        where = self.there.t()[members].nonzero()
        sizes = torch.bincount(where[:, 0], minlength=len(members)).tolist()
        windows = where[:, 1]
        cells = windows * self.there.shape[1] + torch.tensor(members)[where[:, 0]]
        there = torch.split(windows.to(self.device, non_blocking=True), sizes)
        return Rows(members, sizes, there, cells.to(self.device, non_blocking=True))

    def places(self, members: list[int], tokens: int, first: int) -> Tensor:
        """Places in a pool that begins at `first`, with so many tokens a row; −1 where absent.

        Returns
        -------
        [G, B, tokens]
        """
        there = self.there.t()[members]
        number = there.flatten().cumsum(0).view(there.shape) - 1
        place = first + number[..., None] * tokens + torch.arange(tokens)
        return torch.where(there[..., None], place, -1)
