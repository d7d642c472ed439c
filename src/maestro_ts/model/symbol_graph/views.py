"""Views of bins, [B, M, C, L] float64; the same rules as `symbols.views`. Empty bins: anything."""

from __future__ import annotations

import torch
from torch import Tensor

from maestro_ts.model.symbol_graph.moments import Moments
from maestro_ts.symbols.views import CONSTANT

__all__ = ["VIEWS"]


def shape_view(found: Moments, floor: Tensor) -> Tensor:
    """Bin mean by the window's own mean and deviation; 0 in a channel that does not move."""
    total = found.count.sum(dim=3, keepdim=True).clamp(min=1.0)
    centre = (found.count * found.mean).sum(dim=3, keepdim=True) / total
    apart = found.mean - centre
    squares = (found.count * apart * apart + found.m2).sum(dim=3, keepdim=True)
    deviation = (squares / total).sqrt()
    constant = deviation <= CONSTANT * found.peak
    return torch.where(constant, 0.0, apart / torch.where(constant, 1.0, deviation))


def level_view(found: Moments, floor: Tensor) -> Tensor:
    """Bin mean."""
    return found.mean


def spread_view(found: Moments, floor: Tensor) -> Tensor:
    """Log of the deviation within the bin plus a floor."""
    return ((found.m2 / found.count.clamp(min=1.0)).sqrt() + floor).log()


VIEWS = {"shape": shape_view, "level": level_view, "spread": spread_view}
