"""GRU-D one window, step and channel at a time in float64, from the published formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["slow_grud"]

Step = tuple[float, Sequence[float | None]]


def slow_grud(steps: Sequence[Step], weights: Mapping[str, Tensor]) -> Tensor:
    """Logits of one window.

    Parameters
    ----------
    steps : sequence of (time, values)
        In order, only those that are taken; None is what was not measured, 0 is the mean.
    weights : dict
        Of the network, by its names.
    """
    width, channels = weights["state_decay.weight"].shape
    state = torch.zeros(width, dtype=torch.float64)
    last: list[float] = [0.0] * channels
    seen = [steps[0][0] if steps else 0.0] * channels
    for time, values in steps:
        x, m, since = [], [], []
        for c, value in enumerate(values):
            since.append(time - seen[c])
            if value is not None:
                last[c] = value
            slope, start = weights["input_decay.weight"][c], weights["input_decay.bias"][c]
            decay = math.exp(-max(0.0, float(slope * since[c] + start)))
            x.append(value if value is not None else decay * last[c] + (1 - decay) * 0.0)
            m.append(0.0 if value is None else 1.0)
            if value is not None:
                seen[c] = time
        for h in range(width):
            slopes, start = weights["state_decay.weight"][h], weights["state_decay.bias"][h]
            rate = sum(float(slopes[c]) * since[c] for c in range(channels)) + float(start)
            state[h] = state[h] * math.exp(-max(0.0, rate))
        given = weights["given.weight"] @ torch.tensor(x + m, dtype=torch.float64)
        given = given + weights["given.bias"]
        recurrent = weights["gates.weight"] @ state
        reset = torch.sigmoid(given[:width] + recurrent[:width])
        update = torch.sigmoid(given[width : 2 * width] + recurrent[width:])
        candidate = torch.tanh(given[2 * width :] + weights["candidate.weight"] @ (reset * state))
        state = (1 - update) * state + update * candidate
    return weights["head.weight"] @ state + weights["head.bias"]
