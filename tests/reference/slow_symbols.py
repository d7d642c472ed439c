"""Symbols the slow and obvious way: one window, channel and bin at a time, in plain Python.

A *cell* is the list of valid samples of one bin; a channel of a window is a list of cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
