"""Features of the order of bins; the same rules as `symbols.course`."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from maestro_ts.model.symbol_graph.moments import Moments
from maestro_ts.symbols.course import (
    COURSE_FEATURES,
    LAGS,
    LEAST_BINS,
    POINTS,
    SPREAD_FLOOR,
    WAVES,
    basis,
)

__all__ = ["GraphCourse"]


class GraphCourse(nn.Module):
    """Of windows of L bins, C channels.

    Parameters
    ----------
    bins, channels : int
    """

    def __init__(self, bins: int, channels: int) -> None:
        super().__init__()
        self.bins, self.channels = bins, channels
        ramp, waves = basis(bins)
        self.register_buffer("ramp", torch.from_numpy(ramp))
        self.register_buffer("waves", torch.from_numpy(waves.T.copy()))
        if bins >= POINTS:
            edges = np.linspace(0, bins, POINTS + 1).astype(int)
            point = np.repeat(np.arange(POINTS), np.diff(edges))
            share = (point[:, None] == np.arange(POINTS)) / np.diff(edges)
            self.register_buffer("points", torch.from_numpy(share))
        self.ramp: Tensor
        self.waves: Tensor

    def forward(self, found: Moments, spread: Tensor, floor: Tensor) -> Tensor:
        """[B, M, C, 39]; NaN where it needs more bins than there are. `floor` is [M, C, 1]."""
        if self.bins < LEAST_BINS:
            shape = (*found.mean.shape[:3], len(COURSE_FEATURES))
            return torch.full(shape, math.nan, dtype=found.mean.dtype, device=found.mean.device)
        means, spreads = (_deviations(v, found.there) for v in (found.mean, spread))
        floor = floor[..., 0]
        columns = [
            *self._of_series(means, floor),
            *self._of_series(spreads, torch.full_like(floor, SPREAD_FLOOR)),
            *self._of_means(means, found, floor),
        ]
        return torch.cat(columns, dim=3)

    def _of_series(self, z: Tensor, floor: Tensor) -> list[Tensor]:
        """Trend, autocorrelation and shares of the lowest frequencies."""
        nothing = torch.full_like(z[..., :1], math.nan)
        energy = (z * z).sum(dim=3) + self.bins * floor**2
        found = [(z * self.ramp).sum(dim=3, keepdim=True)]
        for lag in LAGS:
            if lag < self.bins:
                products = (z[..., lag:] * z[..., :-lag]).sum(dim=3)
                found.append((products / energy)[..., None])
            else:
                found.append(nothing)
        parts = z @ self.waves
        count = self.waves.shape[1] // 2
        power = parts[..., :count] ** 2 + parts[..., count:] ** 2
        total = power.sum(dim=3) + (self.bins * floor) ** 2
        return [*found, power / total[..., None], *[nothing] * (WAVES - count)]

    def _of_means(self, z: Tensor, found: Moments, floor: Tensor) -> list[Tensor]:
        """What is asked of the bins' means alone."""
        nothing = torch.full_like(z[..., :1], math.nan)
        known = found.there[..., 1:] & found.there[..., :-1]
        steps = torch.where(known, (found.mean[..., 1:] - found.mean[..., :-1]).abs(), 0.0)
        step = steps.sum(dim=3) / known.double().sum(dim=3).clamp(min=1.0)
        deviation = ((z * z).sum(dim=3) / self.bins + floor**2).sqrt()
        columns = [(step + floor).log(), (z * z * z).mean(dim=3) / deviation**3]
        for side in (z.clamp(min=0.0), (-z).clamp(min=0.0)):
            place = (side * (self.bins * self.ramp)).sum(dim=3)
            columns.append(place / (side.sum(dim=3) + self.bins * floor))
        result = [torch.stack(columns, dim=3)]
        if self.channels > 1:
            scale = self.bins * deviation * _next(deviation)
            result.append(((z * _next(z)).sum(dim=3) / scale)[..., None])
        else:
            result.append(nothing)
        if self.bins >= POINTS:
            result.append(z @ self.get_buffer("points") / deviation[..., None])
        else:
            result += [nothing] * POINTS
        return result


def _deviations(values: Tensor, there: Tensor) -> Tensor:
    """From the window's mean over its valid bins, 0 where missing."""
    bins = there.double().sum(dim=3, keepdim=True).clamp(min=1.0)
    mean = torch.where(there, values, 0.0).sum(dim=3, keepdim=True) / bins
    return torch.where(there, values - mean, 0.0)


def _next(x: Tensor) -> Tensor:
    """Each channel's follower, the first after the last; channels are dimension 2."""
    return torch.cat([x[:, :, 1:], x[:, :, :1]], dim=2)
