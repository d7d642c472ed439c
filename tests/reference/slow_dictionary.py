"""Words the slow and obvious way: one position, kernel and tap at a time, in float64."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.dictionary import draw_kernels
from reference.slow_symbols import HAIR, deviation, mean

DILATIONS = (1, 2)
POSITIONS = 16

UNEVEN, UNEVEN_SHARE = 400, 0.75

Bin = list[NDArray[np.float64]]  # its samples, (C,) each


def slow_words(
    train: Windows, windows: Windows, m: Modality, bins: int, groups: int, alphabet: int
) -> NDArray[np.uint8]:
    """Words (n, L, F) of `windows`, learned on `train`."""
    unit = max(1, math.floor(m.rate_hz * float(np.median(train.duration_s)) / bins / 9 + 1e-9))
    scale = slow_scale(train, m)
    pace = [slow_gap(train, m), math.inf]
    given = (m, bins, groups, unit, scale, pace)
    uneven = [u for i in range(len(train)) for u in slow_window(train, i, *given)[1]]
    off = [u for u in uneven if u is not None]
    pace[1] = max(UNEVEN, np.quantile(off, UNEVEN_SHARE)) if off else UNEVEN
    known = [f for i in range(len(train)) for f in slow_window(train, i, *given)[0]]
    columns = list(zip(*[f for f in known if f is not None], strict=True))
    centres, widths = [mean(c) for c in columns], [deviation(c) for c in columns]
    cuts = [NormalDist().inv_cdf(a / alphabet) for a in range(1, alphabet)]
    out = np.zeros((len(windows), bins, len(columns)), dtype=np.uint8)
    for i in range(len(windows)):
        for k, found in enumerate(slow_window(windows, i, *given)[0]):
            if found is None:
                continue
            for f, (x, centre, width) in enumerate(zip(found, centres, widths, strict=True)):
                out[i, k, f] = 1 + sum(cut < (x - centre) / width for cut in cuts)
    return out


def slow_scale(windows: Windows, m: Modality) -> list[float]:
    each = [windows.samples[m.name].window(i)[0].astype(np.float64) for i in range(len(windows))]
    return [
        deviation([x for values in each for x in values[:, c].tolist() if not math.isnan(x)])
        for c in range(m.channels)
    ]


def slow_gap(windows: Windows, m: Modality) -> float:
    """Median of the windows' upper medians of the time between samples."""
    middles = []
    for i in range(len(windows)):
        times = windows.samples[m.name].window(i)[1].tolist()
        gaps = sorted(later - sooner for sooner, later in pairwise(times))
        middles += [gaps[len(gaps) // 2]] if gaps else []
    return float(np.median(middles)) if middles else 1.0 / m.rate_hz


def slow_bins(
    windows: Windows, i: int, m: Modality, bins: int
) -> tuple[list[Bin], list[list[float]]]:
    """Samples and times of each bin of a window."""
    values, times = windows.samples[m.name].window(i)
    width = float(windows.duration_s[i]) / bins
    found: list[Bin] = [[] for _ in range(bins)]
    when: list[list[float]] = [[] for _ in range(bins)]
    for x, t in zip(values.astype(np.float64), times.tolist(), strict=True):
        k = math.floor(t / width + HAIR)
        if 0 <= k < bins:
            found[k].append(x)
            when[k].append(t)
    return found, when


def slow_filled(one: Bin) -> Bin:
    """NaN takes the last value of its bin, or the first to come, or 0."""
    out = [x.copy() for x in one]
    for c in range(len(one[0]) if one else 0):
        valid = [j for j, x in enumerate(one) if not math.isnan(x[c])]
        for j, x in enumerate(out):
            earlier = [v for v in valid if v <= j]
            source = earlier[-1] if earlier else valid[0] if valid else None
            x[c] = 0.0 if source is None else one[source][c]
    return out


def slow_window(
    windows: Windows,
    i: int,
    m: Modality,
    bins: int,
    groups: int,
    unit: int,
    scale: list[float],
    pace: list[float],
) -> tuple[list[list[float] | None], list[int | None]]:
    """Features of each bin, and by how much its samples' gaps differ from the usual one.

    None where something that they depend on is missing; no features where `pace`, the usual gap and
    the largest difference in thousandths, is not kept.
    """
    raw, times = slow_bins(windows, i, m, bins)
    width, beyond = float(windows.duration_s[i]) / bins, 4 * unit * max(DILATIONS)
    line = [(k, x) for k, one in enumerate(raw) for x in slow_filled(one)]
    complete = [
        all(any(not math.isnan(x[c]) for x in one) for c in range(m.channels)) for one in raw
    ]

    def at(j: int) -> NDArray[np.float64]:
        return line[min(max(j, 0), len(line) - 1)][1]

    def moved(j: int) -> NDArray[np.float64]:
        return at(j + 1) - at(j)

    when = [t for one in times for t in one]
    features: list[list[float] | None] = []
    uneven: list[int | None] = []
    begin = 0
    for k, one in enumerate(raw):
        stride = max(1, math.ceil(len(one) / POSITIONS))
        positions = list(range(begin, begin + len(one), stride))
        begin += len(one)
        features.append(None)
        uneven.append(None)
        if not positions:
            continue
        last = positions[-1]
        low = min(
            line[max(positions[0] - beyond, 0)][0],
            math.floor((times[k][0] - beyond / m.rate_hz) / width + HAIR),
        )
        high = max(
            line[min(last + beyond + 1, len(line) - 1)][0],
            math.floor((times[k][last - positions[0]] + (beyond + 1) / m.rate_hz) / width + HAIR),
        )
        if not all(complete[max(low, 0) : high + 1]):
            continue
        read = when[max(positions[0] - beyond, 0) : last + beyond + 2]
        off = [abs((later - sooner) / pace[0] - 1.0) for sooner, later in pairwise(read)]
        uneven[k] = sum(round(1000 * min(o, 100.0)) for o in off) // max(len(off), 1)
        if uneven[k] <= pace[1]:
            features[k] = slow_features(positions, (at, moved), m.channels, groups, unit, scale)
    return features, uneven


def slow_features(positions, signals, channels, groups, unit, scale) -> list[float]:
    """Square roots of what each kernel won and lost per position."""
    kernels, own = draw_kernels(channels, groups)
    features = []
    for d, dilation in enumerate(DILATIONS):
        for r, signal in enumerate(signals):
            won = np.zeros((groups, 8))
            lost = np.zeros((groups, 8))
            for p in positions:
                taps = [signal(p + (t - 4) * unit * dilation) for t in range(9)]
                for g in range(groups):
                    answers = [
                        sum(
                            kernels[d, r, g, kernel, j, t] * (taps[t][c] - taps[4][c]) / scale[c]
                            for j, c in enumerate(own[d, r, g])
                            for t in range(9)
                        )
                        for kernel in range(8)
                    ]
                    for kernel, answer in enumerate(answers):
                        won[g, kernel] += answer if answer == max(answers) else 0.0
                        lost[g, kernel] += answer == min(answers)
            for counts in (won, lost):
                features += np.sqrt(np.maximum(counts / len(positions), 0.0)).ravel().tolist()
    return features
