"""Moments of bins; the same rules as `symbols.bins`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from maestro_ts.model.symbol_graph.grid import Cells

__all__ = ["GraphMoments", "Moments"]


@dataclass(frozen=True)
class Moments:
    """Of valid samples, each [B, M, C, L] float64; 0 where a bin is empty.

    Attributes
    ----------
    there : bool
        The bin has a valid sample.
    count, mean, m2
        Number, mean, and the sum of squared deviations from it.
    peak : [B, M, C, 1]
        Largest magnitude of the window.
    """

    there: Tensor
    count: Tensor
    mean: Tensor
    m2: Tensor
    peak: Tensor


class GraphMoments(nn.Module):
    """Of M modalities of C channels on one grid.

    Parameters
    ----------
    cells : Cells
    least : float
        A bin that has fewer valid samples in its best channel counts as empty.
    """

    def __init__(self, cells: Cells, least: float) -> None:
        super().__init__()
        self.shape, self.least = cells.used.shape, least
        self.register_buffer("places", cells.places.flatten())
        self.register_buffer("used", cells.used)
        self.places: Tensor
        self.used: Tensor

    def forward(self, samples: Tensor) -> Moments:
        """[B, M, C, N] float32, NaN is missing."""
        cells = samples.index_select(3, self.places).view(*samples.shape[:3], *self.shape)
        valid = (cells.abs() < math.inf) & self.used
        values = torch.where(valid, cells, 0.0).double()
        count = valid.double().sum(dim=4)
        mean = values.sum(dim=4) / count.clamp(min=1.0)
        apart = torch.where(valid, values - mean[..., None], 0.0)
        m2, peak = (apart * apart).sum(dim=4), values.abs().amax(dim=4)
        if self.least > 0:
            kept = (count.amax(dim=2, keepdim=True) >= self.least).double()
            count, mean, m2, peak = count * kept, mean * kept, m2 * kept, peak * kept
        return Moments(count > 0, count, mean, m2, peak.amax(dim=3, keepdim=True))
