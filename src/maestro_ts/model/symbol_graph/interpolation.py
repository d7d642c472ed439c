"""Slow streams interpolated linearly; the same rules as `signals.transform.interpolate`."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["GraphInterpolation"]


class GraphInterpolation(nn.Module):
    """From a regular grid to another one.

    Parameters
    ----------
    samples : int
        N, the i-th at i / `rate_hz`.
    rate_hz : float
    times_s : ndarray, shape (J,)
        Where values are wanted.
    """

    def __init__(self, samples: int, rate_hz: float, times_s: np.ndarray) -> None:
        super().__init__()
        self.samples, self.reach = samples, 1.0 / rate_hz
        known = np.arange(samples) / rate_hz
        # The last sample that is not later, and the one after it; padding stands at both ends.
        left = np.searchsorted(known, times_s, side="right")
        self.register_buffer("left", torch.from_numpy(left))
        self.register_buffer("known", torch.from_numpy(known))
        self.register_buffer("times", torch.from_numpy(times_s))
        self.register_buffer("slots", torch.arange(samples, dtype=torch.float32))
        self.left: Tensor
        self.known: Tensor
        self.times: Tensor
        self.slots: Tensor

    def forward(self, samples: Tensor) -> Tensor:
        """[B, M, C, N] → [B, M, C, J] float32; NaN further than one step from every sample."""
        valid = samples.abs() < torch.inf
        size = self.samples
        # Running maxima: the last valid sample so far, and from behind the first.
        before = torch.where(valid, self.slots, -1.0).flatten(1, 2)
        before = F.max_pool1d(F.pad(before, (size, 0), value=-1.0), size, stride=1)
        after = torch.where(valid, -self.slots, float(-size)).flatten(1, 2)
        after = -F.max_pool1d(F.pad(after, (0, size), value=float(-size)), size, stride=1)
        low, high = before.index_select(2, self.left), after.index_select(2, self.left)
        some_low, some_high = low >= 0, high < size
        low, high = torch.where(some_low, low, 0.0).long(), torch.where(some_high, high, 0.0).long()
        values = torch.where(valid, samples, 0.0).flatten(1, 2)
        y0, y1 = values.gather(2, low).double(), values.gather(2, high).double()
        t0, t1 = (F.embedding(i, self.known[:, None])[..., 0] for i in (low, high))
        both = some_low & some_high
        slope = (y1 - y0) / torch.where(both, t1 - t0, 1.0)
        line = slope * (self.times - t0) + y0
        line = torch.where(both, line, torch.where(some_low, y0, y1))
        near_low = some_low & ((t0 - self.times).abs() <= self.reach)
        near_high = some_high & ((t1 - self.times).abs() <= self.reach)
        line = torch.where(near_low | near_high, line, torch.nan)
        return line.float().view(*samples.shape[:3], -1)
