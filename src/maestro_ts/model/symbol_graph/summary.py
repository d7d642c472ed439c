"""Statistics of whole windows; the same rules as `symbols.views.summary_features`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maestro_ts.model.symbol_graph.course import GraphCourse
from maestro_ts.model.symbol_graph.moments import Moments
from maestro_ts.model.symbol_graph.views import spread_view

__all__ = ["GraphSummary"]


class GraphSummary(nn.Module):
    """Of windows of L bins, C channels.

    Parameters
    ----------
    bins, channels : int
    course : bool
        Features of the order of bins as well.
    """

    def __init__(self, bins: int, channels: int, course: bool) -> None:
        super().__init__()
        self.course = GraphCourse(bins, channels) if course else None

    def forward(self, found: Moments, floor: Tensor) -> Tensor:
        """Features [B, M, C, S]; NaN for a channel without a valid bin. `floor` is [M, C, 1]."""
        there, mean, spread = found.there, found.mean, spread_view(found, floor)
        bins = there.double().sum(dim=3).clamp(min=1.0)
        level = mean.sum(dim=3) / bins
        apart = torch.where(there, mean - level[..., None], 0.0)
        deviation = ((apart * apart).sum(dim=3) / bins).sqrt()
        features = torch.stack(
            [
                level,
                (deviation + floor[..., 0]).log(),
                torch.where(there, mean, math.inf).amin(dim=3),
                torch.where(there, mean, -math.inf).amax(dim=3),
                torch.where(there, spread, 0.0).sum(dim=3) / bins,
                torch.where(there, spread, -math.inf).amax(dim=3),
            ],
            dim=3,
        )
        if self.course is not None:
            features = torch.cat([features, self.course(found, spread, floor)], dim=3)
        return torch.where(there.any(dim=3, keepdim=True), features, math.nan)
