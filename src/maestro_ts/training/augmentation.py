"""Augmentation: training windows as another wearing of the sensors would have recorded them.

A device is never worn twice alike (its triaxial sensors turn together by a small angle), a person
never moves twice at the same pace (time is stretched about the window's middle) and never begins
at the same instant (time is shifted; what leaves the window is lost, nothing wraps around). A
sensor of one channel (skin temperature, conductance) has another level and range on everybody: it
is moved and scaled, lest a few people be told apart by their levels. A device may sample less often
than it should. Streams without a rate, such as laboratory values, keep theirs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.recipe import AugmentationSettings
from maestro_ts.signals.windows import Samples, Windows

__all__ = ["augmented"]

SPATIAL = 3  # channels of a sensor that has directions
SLOWEST = 4  # every so many samples one


def augmented(
    windows: Windows, settings: AugmentationSettings, rng: np.random.Generator
) -> Windows:
    """The windows with every one changed by its own draw; labels, lengths and presence stay.

    Static modalities are left alone. The samples of all windows are held in memory.

    Parameters
    ----------
    rng : numpy.random.Generator
    """
    n = len(windows)
    shift_s = rng.uniform(-settings.shift, settings.shift, n) * windows.duration_s
    pace = np.exp(rng.uniform(-settings.stretch, settings.stretch, n))
    angle = np.deg2rad(settings.rotation_deg)
    devices = sorted({m.device for m in windows.schema})
    turns = {device: rotations(rng, n, angle) for device in devices}
    steps = {device: _steps(settings.slower, n, rng) for device in devices}
    levels = settings.offset > 0 or settings.gain > 0
    samples = {}
    for m in windows.schema:
        given = windows.samples[m.name]
        if m.static:
            samples[m.name] = given
            continue
        turn = turns[m.device] if m.channels == SPATIAL and angle > 0 else None
        if settings.slower > 0 and m.rate_hz is not None:
            given = _slower(given, *steps[m.device])
        changed = _changed(given, windows.duration_s / 2, shift_s, pace, turn)
        if levels and m.channels == 1 and m.rate_hz is not None:
            offset = settings.offset * rng.normal(size=n)
            gain = np.exp(settings.gain * rng.normal(size=n))
            changed = replace(changed, values=_levelled(changed, offset, gain))
        samples[m.name] = changed
    return windows.replace(samples=samples, present=windows.present)


def _changed(
    samples: Samples,
    middle_s: NDArray[np.float64],
    shift_s: NDArray[np.float64],
    pace: NDArray[np.float64],
    turn: NDArray[np.float32] | None,
) -> Samples:
    values, times_s, owner = samples.flat()
    times_s = (times_s - middle_s[owner]) * pace[owner] + middle_s[owner] + shift_s[owner]
    if turn is not None:
        values = np.einsum("nij,nj->ni", turn[owner], values)
    return replace(
        samples,
        values=values,
        starts=np.cumsum(samples.lengths) - samples.lengths,
        times=times_s,
        origins_s=np.zeros(len(samples.lengths)),
    )


def _steps(
    share: float, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Every how many samples one is kept, 1 for most windows, and which, as share of as many."""
    if share == 0:
        return np.ones(n, dtype=np.int64), np.zeros(n)
    hit = rng.random(n) < share
    return np.where(hit, rng.integers(2, SLOWEST + 1, n), 1), rng.random(n)


def _slower(samples: Samples, step: NDArray[np.int64], begin: NDArray[np.float64]) -> Samples:
    """Every `step`-th sample of each window."""
    samples = samples.timed()
    values, times_s, owner = samples.flat()
    within = np.arange(len(values)) - (np.cumsum(samples.lengths) - samples.lengths)[owner]
    kept = within % step[owner] == (begin * step).astype(np.int64)[owner]
    lengths = np.bincount(owner[kept], minlength=len(step))
    return replace(
        samples,
        values=values[kept],
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        times=times_s[kept],
        origins_s=np.zeros(len(step)),
    )


def _levelled(
    samples: Samples, offset: NDArray[np.float64], gain: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Values (N, 1) scaled about the mean of all and moved by each window's offset."""
    values = samples.read().astype(np.float64)
    valid = values[~np.isnan(values)]
    middle, deviation = (valid.mean(), valid.std()) if len(valid) else (0.0, 0.0)
    owner = np.repeat(np.arange(len(gain)), samples.lengths)
    moved = middle + (values - middle) * gain[owner, None] + deviation * offset[owner, None]
    result: NDArray[np.float32] = moved.astype(np.float32)
    return result


def rotations(rng: np.random.Generator, n: int, largest: float) -> NDArray[np.float32]:
    """Rotations about random axes by up to `largest` radians, (n, 3, 3) (Rodrigues' formula)."""
    axis = rng.normal(size=(n, 3))
    x, y, z = (axis / np.linalg.norm(axis, axis=1, keepdims=True)).T
    zero = np.zeros(n)
    cross = np.array([[zero, -z, y], [z, zero, -x], [-y, x, zero]]).transpose(2, 0, 1)
    angle = rng.uniform(0.0, 1.0, n)[:, None, None] * largest
    turned = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    result: NDArray[np.float32] = turned.astype(np.float32)
    return result
