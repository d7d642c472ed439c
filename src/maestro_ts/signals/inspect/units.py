"""Whether the unit changes inside a stream: a sudden factor of scale that lasts.

Two kinds of evidence. The *grid*: a sensor's values are multiples of one step, and a factor changes
the step together with the values; that convicts even a handful of samples. Without a grid, the
*level*: two stretches of steady magnitude, one a well-known factor (4, 9.80665, 1000, …) above the
other, with nothing between. A person who starts to move changes the level too, so the level must
be steady on both sides. The magnitude is that of all channels together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.inspect.finding import Finding
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Stream

__all__ = ["grid_step", "scale_change", "unit_changes"]

# A sensor's range, g in m/s^2, degrees in radians, powers of ten of prefixes.
KNOWN = (2.0, 4.0, 8.0, 9.80665, 16.0, 57.29578, 100.0, 1000.0, 1e6)
# What moves a level of its own accord is most often near 2: that takes a grid to tell.
KNOWN_LEVELS = (4.0, 9.80665, 57.29578, 100.0, 1000.0, 1e6)
LEAST_FACTOR = 1.7
TOLERANCE = 0.1  # of a known factor
FEWEST = 20  # samples of a stream that is looked at
STRETCH = 10  # samples on either side of a change of level
ON_GRID = 0.02  # of a step
SEARCHED = 20_000  # values from which a step is found


def unit_changes(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """A finding when the scale of a stream changes suddenly and for good."""
    found = scale_change(stream.values)
    if found is None:
        return
    at, factor = found
    time = stream.sample_times()[at]
    share = min(at, len(stream.values) - at) / len(stream.values)
    before, after = ("small", "large") if factor > 1 else ("large", "small")
    times = factor if factor > 1 else 1 / factor
    yield Finding(
        "unit-change",
        where,
        modality.name,
        f"values are {times:.4g} times too {before} before {time:.4g} s, or too {after} after it",
        share,
    )


def scale_change(values: NDArray[np.floating]) -> tuple[int, float] | None:
    """Where the scale changes, and by what factor the later values are larger.

    Parameters
    ----------
    values : ndarray, shape (T, C)

    Returns
    -------
    (sample, factor), or None.
    """
    valid = np.flatnonzero(~np.isnan(values).any(axis=1))
    if len(valid) < FEWEST:
        return None
    rows = values[valid].astype(np.float64)
    size = np.linalg.norm(rows, axis=1)
    found = _by_grid(rows, size) or _by_level(size)
    return None if found is None else (int(valid[found[0]]), found[1])


def grid_step(values: NDArray[np.float64]) -> float | None:
    """The step of which all values are multiples, if there is one that is larger than rounding."""
    flat = np.unique(np.abs(values.ravel()[:SEARCHED]))
    if len(flat) < 5 or flat[-1] == 0:
        return None
    # What 32 bits cannot tell apart is no step.
    steps = np.diff(flat)
    steps = steps[steps > 2e-6 * flat[-1]]
    if not len(steps):
        return None
    step = float(steps.min())
    # The smallest difference may be off by rounding: the whole range measures it better.
    for top in flat[np.linspace(len(flat) // 2, len(flat) - 1, 3).astype(int)]:
        count = round(float(top) / step)
        if count and abs(top / step - count) < 0.25:
            step = float(top) / count
    return step if (~_off_grid(flat[:, None], step)).mean() > 0.95 else None


def _off_grid(rows: NDArray[np.float64], step: float) -> NDArray[np.bool_]:
    """Samples with a channel that is no multiple of the step, shape (T,)."""
    count = rows / step
    # Rounding to 32 bits grows with the number itself.
    slack = ON_GRID + 1e-6 * np.abs(count)
    return np.asarray((np.abs(count - np.round(count)) > slack).any(axis=1))


def _by_grid(rows: NDArray[np.float64], size: NDArray[np.float64]) -> tuple[int, float] | None:
    """A stretch at the begin or the end whose values lie off the grid of the rest."""
    for backward in (False, True):
        ordered = rows[::-1] if backward else rows
        # The far end tells the grid, what begins off it is suspect; the change may lie anywhere.
        for end in (len(ordered) // 2, len(ordered) - len(ordered) // 4):
            k = _off_until(ordered, grid_step(ordered[end:]))
            at = len(rows) - k if backward else k
            factor = _factor(size, at) if k else None
            if factor is not None:
                return at, _snapped(factor, KNOWN, 0.6)
    return None


def _off_until(rows: NDArray[np.float64], step: float | None) -> int:
    """How many samples at the begin lie off the grid on which the others are; 0 for none."""
    if step is None:
        return 0
    off = _off_grid(rows, step)
    k = int(np.argmax(np.cumsum(np.where(off, 1, -1)))) + 1
    # One sample convicts nobody; some lie on the coarser grid by chance.
    return k if k >= 2 and off[:k].mean() >= 0.8 and off[k:].mean() <= 0.05 else 0


def _by_level(size: NDArray[np.float64]) -> tuple[int, float] | None:
    """The border between two stretches of steady magnitude, a known factor apart."""
    if (size <= 0).any():
        return None
    level = np.log(size)
    n = len(level)
    left = np.arange(1, n)
    total = np.cumsum(level)
    gap = total[:-1] / left - (total[-1] - total[:-1]) / (n - left)
    at = int(np.argmax(left * (n - left) * gap**2)) + 1
    if min(at, n - at) < STRETCH:
        return None
    a, b = level[:at], level[at:]
    low, high = (a, b) if np.median(a) < np.median(b) else (b, a)
    jump = float(np.median(high) - np.median(low))
    if jump < np.log(LEAST_FACTOR):
        return None
    spread = max(_spread(low), _spread(high))
    near = np.median(level[at : at + STRETCH]) - np.median(level[at - STRETCH : at])
    factor = float(np.exp(jump))
    steady = spread < jump / 6 and np.quantile(low, 0.98) < np.quantile(high, 0.02)
    sudden = abs(near) > 0.8 * jump
    known = _snapped(factor, KNOWN_LEVELS, TOLERANCE)
    if not (steady and sudden) or known == factor:
        return None
    return at, known if low is a else 1 / known


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation as the median tells it."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _factor(size: NDArray[np.float64], at: int) -> float | None:
    """Ratio of the usual magnitudes after and before, near the border; None if it is small."""
    near = slice(max(at - 200, 0), at), slice(at, at + 200)
    before, after = (float(np.median(size[part])) for part in near)
    if before <= 0 or after <= 0:
        return None
    factor = after / before
    return factor if factor > LEAST_FACTOR or factor < 1 / LEAST_FACTOR else None


def _snapped(factor: float, known: tuple[float, ...], tolerance: float) -> float:
    """The known factor nearest to one, if it is near enough."""
    large = max(factor, 1 / factor)
    best = min(known, key=lambda k: abs(np.log(large / k)))
    if abs(np.log(large / best)) > np.log1p(tolerance):
        return factor
    return best if factor > 1 else 1 / best
