"""Small random windows for tests: any rates, gaps, patterns of absence, poisoned buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Samples, Windows

__all__ = [
    "DURATION_S",
    "FOUR_RATES",
    "constant_windows",
    "keep",
    "many_rates",
    "mixed_patterns",
    "poisoned",
    "random_windows",
    "sensor_schema",
]

DURATION_S = 2.0
FOUR_RATES: dict[str, float] = {"acc": 32.0, "bvp": 64.0, "ecg": 700.0, "eda": 4.0}


def many_rates(count: int) -> dict[str, float]:
    """Rates of `count` modalities, 4, 16 and 32 Hz in turn."""
    return {f"s{i:02d}": (4.0, 16.0, 32.0)[i % 3] for i in range(count)}


def sensor_schema(rates_hz: Mapping[str, float]) -> Schema:
    """Modalities of these rates; every second one has two channels."""
    return Schema(
        Modality(name, channels=1 + i % 2, rate_hz=rate)
        for i, (name, rate) in enumerate(sorted(rates_hz.items()))
    )


def random_windows(
    rates_hz: Mapping[str, float],
    n: int,
    *,
    seed: int = 0,
    gaps: bool = True,
    classes: int = 3,
) -> Windows:
    """Windows of 2 s of noise around a level and a slope that differ per window.

    Parameters
    ----------
    rates_hz : dict of modality name to rate
    n : int
    seed : int
    gaps : bool
        Every third window lacks a quarter of its samples in one channel of each modality.
    classes : int
        Labels are 0 … classes − 1 in turn.
    """
    rng = np.random.default_rng(seed)
    schema = sensor_schema(rates_hz)
    arrays = {}
    for m in schema:
        assert m.rate_hz is not None
        length = round(m.rate_hz * DURATION_S)
        level, slope = rng.normal(size=(2, n, 1, m.channels))
        noise = rng.normal(size=(n, length, m.channels))
        values = level + slope * np.linspace(-1.0, 1.0, length)[None, :, None] + noise
        if gaps:
            values[::3, : max(length // 4, 1), 0] = np.nan
        arrays[m.name] = values
    return Windows.from_arrays(arrays, schema, duration_s=DURATION_S, labels=np.arange(n) % classes)


def constant_windows(rates_hz: Mapping[str, float], values: Sequence[float]) -> Windows:
    """One window per value that is this value throughout."""
    schema = sensor_schema(rates_hz)
    level = np.asarray(values, dtype=np.float64)[:, None, None]
    arrays = {
        m.name: level * np.ones((1, round((m.rate_hz or 1.0) * DURATION_S), m.channels))
        for m in schema
    }
    return Windows.from_arrays(arrays, schema, duration_s=DURATION_S, labels=np.arange(len(values)))


def mixed_patterns(modalities: int, n: int) -> NDArray[np.bool_]:
    """Patterns in turn: all, none, then without the first, only the first, and so on; (n, M)."""
    everything = np.ones((1, modalities), dtype=bool)
    one = np.eye(modalities, dtype=bool)
    turns = np.stack([~one, one], axis=1).reshape(-1, modalities)
    patterns = np.concatenate([everything, ~everything, turns])
    return np.asarray(patterns[np.arange(n) % len(patterns)])


def keep(windows: Windows, pattern: NDArray[np.bool_]) -> Windows:
    """Windows with only the modalities that `pattern` (n, M) or (M,) names."""
    mask = Mask.nothing(len(windows), len(windows.schema))
    mask.keep[:] = pattern
    return hide(windows, mask)


def poisoned(windows: Windows, junk: float) -> Windows:
    """The same windows in buffers that hold `junk` before, between and after their samples.

    A window whose modality is hidden points at junk with length 0.
    """
    return windows.replace(
        samples={name: _poisoned(piece, junk) for name, piece in windows.samples.items()}
    )


def _poisoned(piece: Samples, junk: float) -> Samples:
    channels = piece.values.shape[1]
    block = np.full((3, channels), junk, dtype=np.float32)
    parts, starts, filled = [block], [], len(block)
    for start, length in zip(piece.starts, piece.lengths, strict=True):
        starts.append(filled)
        parts += [piece.values[start : start + length], block]
        filled += int(length) + len(block)
    return replace(piece, values=np.concatenate(parts), starts=np.asarray(starts, dtype=np.int64))
