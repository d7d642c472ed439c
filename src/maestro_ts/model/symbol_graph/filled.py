"""Samples without holes, bin by bin; the same rules as `symbols.held`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.model.symbol_graph.grid import Cells
from maestro_ts.symbols.held import HUGE

__all__ = ["Filled"]


class Filled(nn.Module):
    """A lost sample takes the last value of its bin before it, or the first after it, else 0.

    Parameters
    ----------
    cells : Cells
        Every sample of the window is in one.
    """

    def __init__(self, cells: Cells) -> None:
        super().__init__()
        self.shape = cells.used.shape
        self.register_buffer("places", cells.places.flatten())
        self.register_buffer("used", cells.used)
        self.register_buffer("back", cells.used.flatten().nonzero()[:, 0])
        slots = torch.arange(self.shape[1], dtype=torch.float32)
        self.register_buffer("slots", slots)
        self.places: Tensor
        self.used: Tensor
        self.back: Tensor
        self.slots: Tensor

    def forward(self, samples: Tensor) -> Tensor:
        """[B, M, C, N] float32 → the same."""
        bins, most = self.shape
        cells = samples.index_select(3, self.places).view(*samples.shape[:3], *self.shape)
        known = (cells.abs() < HUGE) & self.used
        # Running maxima: the last slot known so far, and from behind the first.
        before = torch.where(known, self.slots, -1.0).flatten(1, 3)
        before = F.max_pool1d(F.pad(before, (most - 1, 0), value=-1.0), most, stride=1)
        after = torch.where(known, -self.slots, float(-most)).flatten(1, 3)
        after = -F.max_pool1d(F.pad(after, (0, most - 1), value=float(-most)), most, stride=1)
        source = torch.where(before >= 0, before, after)
        found = source < most
        index = torch.where(found, source, 0.0).long()
        values = torch.where(known, cells, 0.0).flatten(1, 3).gather(2, index)
        return values.view(*samples.shape[:3], bins * most).index_select(3, self.back)
