"""Sensors that deliver noise: values spoilt, times as they were, a missing sample still missing.

The draws are fixed by each window's identity, whatever the order or subset of the windows; weaker
noise is the stronger one, scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.levels import Levels
from maestro_ts.signals.windows import Windows

__all__ = ["add_noise", "add_spikes", "replace_by_noise"]

SPIKE_SHARE = 0.01  # of the samples of a channel
SPIKE_DEVIATIONS = 5.0

Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]


def add_noise(
    windows: Windows, names: Sequence[str], deviations: float, levels: Levels, seed: int = 0
) -> Windows:
    """Gaussian noise on every sample of these modalities.

    Parameters
    ----------
    windows : Windows
    names : sequence of str
        Modalities that are spoilt.
    deviations : float
        Size of the noise, in deviations of the channel.
    levels : Levels
        What a deviation is: of the training windows, so that it does not depend on what is tested.
    """

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
        return deviations * rng.standard_normal(shape)

    return _spoilt(windows, names, levels, draw, seed, keep=True)


def add_spikes(
    windows: Windows, names: Sequence[str], deviations: float, levels: Levels, seed: int = 0
) -> Windows:
    """The noise of `add_noise`, and on one sample in a hundred ±5 deviations more."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
        noise = deviations * rng.standard_normal(shape)
        hit = rng.random(shape) < SPIKE_SHARE
        return np.asarray(noise + hit * SPIKE_DEVIATIONS * rng.choice((-1.0, 1.0), shape))

    return _spoilt(windows, names, levels, draw, seed, keep=True)


def replace_by_noise(
    windows: Windows, names: Sequence[str], levels: Levels, seed: int = 0
) -> Windows:
    """Every sample is drawn, with mean and deviation of its channel: plausible, and no news."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
        return rng.standard_normal(shape)

    return _spoilt(windows, names, levels, draw, seed, keep=False)


def _spoilt(
    windows: Windows, names: Sequence[str], levels: Levels, draw: Draw, seed: int, *, keep: bool
) -> Windows:
    samples = dict(windows.samples)
    for name in names:
        m, piece = windows.schema.index(name), samples[name]
        values, times, _ = piece.flat()
        drawn = [
            draw(
                np.random.default_rng([seed, m, int(i) >> 32, int(i) & 0xFFFFFFFF]),
                (int(k), values.shape[1]),
            )
            for i, k in zip(windows.ids, piece.lengths, strict=True)
        ]
        noise = np.concatenate([*drawn, np.zeros((0, values.shape[1]))]) * levels.deviation[name]
        base = values if keep else np.where(np.isnan(values), np.nan, levels.mean[name])
        changed = replace(
            piece,
            values=(base + noise).astype(np.float32),
            starts=np.cumsum(piece.lengths) - piece.lengths,
        )
        if piece.times is not None:
            changed = replace(changed, times=times, origins_s=np.zeros(len(piece.lengths)))
        samples[name] = changed
    return windows.replace(samples=samples, present=windows.present)
