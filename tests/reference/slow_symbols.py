"""Symbols the slow and obvious way: one window, channel and bin at a time, in plain Python.

A *cell* is the list of valid samples of one bin; a channel of a window is a list of cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise as pairs
from statistics import NormalDist

import numpy as np

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

Cells = list[list[float]]
HAIR = 1e-9  # of a bin: a time this far below a border is on it


def slow_cells(
    values: Sequence[float], times: Sequence[float], duration_s: float, bins: int
) -> Cells:
    """Valid samples of one channel, bin by bin."""
    cells: Cells = []
    for k in range(bins):
        low, high = (k - HAIR) * duration_s / bins, (k + 1 - HAIR) * duration_s / bins
        cells.append(
            [
                float(x)
                for x, t in zip(values, times, strict=True)
                if low <= t < high and not math.isnan(x)
            ]
        )
    return cells


def slow_window(windows: Windows, i: int, m: Modality, bins: int) -> list[Cells]:
    """Cells of every channel of one modality in window i."""
    values, times = windows.samples[m.name].window(i)
    if m.static:
        times = np.zeros(len(times))
    return [
        slow_cells(values[:, c].tolist(), times.tolist(), float(windows.duration_s[i]), bins)
        for c in range(m.channels)
    ]


def mean(xs: Sequence[float]) -> float:
    return math.fsum(xs) / len(xs)


def deviation(xs: Sequence[float]) -> float:
    """Population standard deviation."""
    centre = mean(xs)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in xs) / len(xs))


def slow_shape(cells: Cells) -> list[float]:
    everything = [x for cell in cells for x in cell]
    if not everything:
        return [math.nan] * len(cells)
    centre, width = mean(everything), deviation(everything)
    constant = width <= 1e-6 * max(abs(x) for x in everything)
    return [
        math.nan if not cell else 0.0 if constant else (mean(cell) - centre) / width
        for cell in cells
    ]


def slow_level(cells: Cells) -> list[float]:
    return [mean(cell) if cell else math.nan for cell in cells]


def slow_spread(cells: Cells, floor: float) -> list[float]:
    return [math.log(deviation(cell) + floor) if cell else math.nan for cell in cells]


def slow_view(view: str, cells: Cells, floor: float) -> list[float]:
    if view == "spread":
        return slow_spread(cells, floor)
    return slow_shape(cells) if view == "shape" else slow_level(cells)


def slow_summary(cells: Cells, floor: float) -> list[float]:
    """Mean, log deviation, minimum, maximum of the bins; mean and maximum of their spreads."""
    levels = [v for v in slow_level(cells) if not math.isnan(v)]
    if not levels:
        return [math.nan] * 6
    spreads = [v for v in slow_spread(cells, floor) if not math.isnan(v)]
    log_deviation = math.log(deviation(levels) + floor)
    return [mean(levels), log_deviation, min(levels), max(levels), mean(spreads), max(spreads)]


def slow_course(channels: list[Cells], c: int, floors: Sequence[float]) -> list[float]:
    """What the order of the bins of channel c tells, as `symbols.course` has it."""
    cells, floor = channels[c], floors[c]
    bins = len(cells)
    if not any(cells) or bins < 3:
        return [math.nan] * 39
    levels = slow_level(cells)
    z = centred(levels)
    spreads = centred(slow_spread(cells, floor))
    steps = [abs(b - a) for a, b in pairs(levels) if not math.isnan(b - a)]
    width = math.sqrt(sum(x * x for x in z) / bins + floor**2)
    above, below = [max(x, 0.0) for x in z], [max(-x, 0.0) for x in z]
    beside = math.nan
    if len(channels) > 1:
        d = (c + 1) % len(channels)
        other = centred(slow_level(channels[d]))
        own = math.sqrt(sum(x * x for x in other) / bins + floors[d] ** 2)
        beside = sum(a * b for a, b in zip(z, other, strict=True)) / (bins * width * own)
    points = [math.nan] * 8
    if bins >= 8:
        edges = [bins * k // 8 for k in range(9)]
        points = [mean(z[a:b]) / width for a, b in pairs(edges)]
    return [
        *slow_series(z, floor),
        *slow_series(spreads, 0.01),
        math.log((mean(steps) if steps else 0.0) + floor),
        sum(x**3 for x in z) / bins / width**3,
        along(above) / (sum(above) + bins * floor),
        along(below) / (sum(below) + bins * floor),
        beside,
        *points,
    ]


def slow_series(z: Sequence[float], floor: float) -> list[float]:
    """Trend, autocorrelation at 1, 2, 4, 8 bins, shares of 1 to 8 periods per window."""
    bins = len(z)
    energy = sum(x * x for x in z) + bins * floor**2
    lags = [
        sum(z[i] * z[i + lag] for i in range(bins - lag)) / energy if lag < bins else math.nan
        for lag in (1, 2, 4, 8)
    ]
    power = []
    for periods in range(1, min(8, (bins - 1) // 2) + 1):
        angles = [2 * math.pi * periods * i / bins for i in range(bins)]
        real = sum(x * math.cos(a) for x, a in zip(z, angles, strict=True))
        imaginary = sum(x * math.sin(a) for x, a in zip(z, angles, strict=True))
        power.append(real**2 + imaginary**2)
    whole = sum(power) + (bins * floor) ** 2
    shares = [p / whole for p in power] + [math.nan] * (8 - len(power))
    return [along(z) / bins, *lags, *shares]


def centred(values: Sequence[float]) -> list[float]:
    """From the mean of those that are there; 0 for the others."""
    known = [v for v in values if not math.isnan(v)]
    middle = mean(known) if known else 0.0
    return [0.0 if math.isnan(v) else v - middle for v in values]


def along(values: Sequence[float]) -> float:
    """Sum over a ramp from -1 to 1."""
    return sum(v * (2 * i / (len(values) - 1) - 1) for i, v in enumerate(values))


def slow_symbol(z: float, alphabet: int) -> int:
    """1 + the number of breakpoints below z; 0 for NaN."""
    if math.isnan(z):
        return 0
    below = 0
    for a in range(1, alphabet):
        if NormalDist().inv_cdf(a / alphabet) < z:
            below += 1
    return 1 + below


def slow_floor(train: list[Cells]) -> float:
    """What is added to deviations of one channel, from the cells of its training windows."""
    cells = [cell for window in train for cell in window if cell]
    if not cells:
        return 1e-30
    typical = math.sqrt(mean([deviation(cell) ** 2 for cell in cells]))
    scale = max(abs(mean(cell)) for cell in cells)
    return max(0.01 * typical, 1e-9 * scale, 1e-30)


def slow_z(value: float, train: Sequence[float]) -> float:
    """A value normalised by the training values that are there, kept within ± 12."""
    known = [v for v in train if not math.isnan(v)]
    centre, width = (mean(known), deviation(known)) if known else (0.0, 0.0)
    tiny = max(1e-9 * abs(centre), 1e-30)
    if width <= tiny and abs(value - centre) <= tiny:  # equal up to rounding
        return 0.0
    z = (value - centre) / max(width, tiny)
    return z if math.isnan(z) else min(max(z, -12.0), 12.0)


def slow_symbols(
    train: Windows, windows: Windows, m: Modality, bins: int, views: Sequence[str], alphabet: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (n, L, C, V) and summary (n, C, 6) of one modality, fitted on other windows."""
    tokens = np.zeros((len(windows), bins, m.channels, len(views)), dtype=int)
    summary = np.zeros((len(windows), m.channels, 6), dtype=int)
    fitted = [slow_window(train, i, m, bins) for i in range(len(train))]
    asked = [slow_window(windows, i, m, bins) for i in range(len(windows))]
    for c in range(m.channels):
        channel = [window[c] for window in fitted]
        floor = slow_floor(channel)
        for v, view in enumerate(views):
            known = [z for cells in channel for z in slow_view(view, cells, floor)]
            for i, window in enumerate(asked):
                for k, value in enumerate(slow_view(view, window[c], floor)):
                    z = value if view == "shape" else slow_z(value, known)
                    tokens[i, k, c, v] = slow_symbol(z, alphabet)
        features = [slow_summary(cells, floor) for cells in channel]
        for i, window in enumerate(asked):
            for f, value in enumerate(slow_summary(window[c], floor)):
                z = slow_z(value, [row[f] for row in features])
                summary[i, c, f] = slow_symbol(z, alphabet)
    return tokens, summary
