"""Which sensors fail: one mask algebra for training, evaluation, analysis and tests.

A `Mask` says what is hidden; `hide` returns windows in which it is absent. Masks of the same
windows at rising rates are nested: one permutation and one place per window, seeded by the
window's identity, whatever the order or subset of the windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Samples, Windows

__all__ = [
    "MODES",
    "Mask",
    "all_patterns",
    "device_mask",
    "hide",
    "modality_mask",
    "part_mask",
    "pattern_mask",
    "point_mask",
    "realised_rate",
    "segment_mask",
]

MODES = ("modality", "device", "segment", "points")
WHOLE = ("modality", "device", "pattern", "absent")  # modes that take whole modalities


@dataclass(frozen=True)
class Mask:
    """What is hidden in n windows of M modalities, in the schema's order.

    Attributes
    ----------
    keep : ndarray, shape (n, M), bool
        False hides the whole modality.
    segments : ndarray, shape (n, M, 2), float
        Share of the window ``[from, to)`` that is lost; empty where from >= to.
    points : float
        Probability that a single sample is lost (drawn per sample from the window's identity).
    seed : int
    """

    keep: NDArray[np.bool_]
    segments: NDArray[np.float64]
    points: float = 0.0
    seed: int = 0

    @classmethod
    def nothing(cls, n: int, modalities: int) -> Mask:
        """Hide nothing."""
        return cls(np.ones((n, modalities), dtype=bool), np.zeros((n, modalities, 2)))

    def __getitem__(self, rows: NDArray[np.intp]) -> Mask:
        return replace(self, keep=self.keep[rows], segments=self.segments[rows])


def generators(ids: NDArray[np.uint64], seed: int) -> list[np.random.Generator]:
    """One generator per window, seeded by the window's identity."""
    return [np.random.default_rng([seed, int(i) >> 32, int(i) & 0xFFFFFFFF]) for i in ids]


def check_rate(rate: float) -> None:
    """Refuse a missing rate outside [0, 1]."""
    if not 0.0 <= rate <= 1.0:
        raise ConfigError(f"a missing rate lies in [0, 1], got {rate!r}.")


def _drop(units: NDArray[np.bool_], rate: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of the present units are lost: ``floor(rm)`` and one more by chance, never all."""
    order = rng.permutation(len(units))
    extra = rng.random()
    m = int(units.sum())
    whole = int(np.floor(rate * m + 1e-9))
    count = min(whole + (extra < rate * m - whole - 1e-12), max(m - 1, 0))
    lost = np.zeros(len(units), dtype=bool)
    lost[[u for u in order if units[u]][:count]] = True
    return lost


def modality_mask(windows: Windows, rate: float, seed: int = 0) -> Mask:
    """Whole modalities are missing, `rate` of the naturally present ones, at least one stays."""
    check_rate(rate)
    mask = Mask.nothing(len(windows), len(windows.schema))
    for i, rng in enumerate(generators(windows.ids, seed)):
        mask.keep[i] = ~_drop(windows.present[i], rate, rng)
    return mask


def device_mask(windows: Windows, rate: float, seed: int = 0) -> Mask:
    """Whole devices are missing: all modalities of a device together."""
    check_rate(rate)
    member = membership(windows.schema)
    mask = Mask.nothing(len(windows), len(windows.schema))
    for i, rng in enumerate(generators(windows.ids, seed)):
        worn = (member & windows.present[i]).any(axis=1)
        lost = _drop(worn, rate, rng)
        mask.keep[i] = ~(member[lost].any(axis=0))
    return mask


def membership(schema: Schema) -> NDArray[np.bool_]:
    """Which modality belongs to which device, shape (devices, M)."""
    return np.array([[m.device == d for m in schema] for d in schema.devices])


def segment_mask(windows: Windows, rate: float, seed: int = 0) -> Mask:
    """One contiguous segment of share `rate` is lost in every modality, placed per device."""
    check_rate(rate)
    member = membership(windows.schema)
    mask = Mask.nothing(len(windows), len(windows.schema))
    for i, rng in enumerate(generators(windows.ids, seed)):
        place = rng.random(len(member)) @ member * (1.0 - rate)
        mask.segments[i, :, 0] = place
        mask.segments[i, :, 1] = place + rate
    return mask


def point_mask(windows: Windows, rate: float, seed: int = 0) -> Mask:
    """Single samples are lost with probability `rate`."""
    check_rate(rate)
    return replace(Mask.nothing(len(windows), len(windows.schema)), points=rate, seed=seed)


def pattern_mask(windows: Windows, names: Sequence[str]) -> Mask:
    """Exactly these modalities are kept."""
    mask = Mask.nothing(len(windows), len(windows.schema))
    kept = {windows.schema.index(name) for name in names}
    mask.keep[:] = [m in kept for m in range(len(windows.schema))]
    return mask


def part_mask(windows: Windows, names: Sequence[str], begin: float, end: float) -> Mask:
    """These modalities lose the samples from `begin` to `end`, as shares of the window."""
    check_rate(begin)
    check_rate(end)
    mask = Mask.nothing(len(windows), len(windows.schema))
    mask.segments[:, [windows.schema.index(name) for name in names]] = (begin, end)
    return mask


def all_patterns(schema: Schema) -> list[tuple[str, ...]]:
    """All non-empty subsets of the modalities, largest first."""
    names = schema.names
    subsets = [
        tuple(n for bit, n in enumerate(names) if code >> bit & 1)
        for code in range(1, 2 ** len(names))
    ]
    return sorted(subsets, key=lambda s: (-len(s), s))


def mask_of(mode: str) -> Callable[[Windows, float, int], Mask]:
    """The mask function of a mode's name."""
    table = {
        "modality": modality_mask,
        "device": device_mask,
        "segment": segment_mask,
        "points": point_mask,
    }
    if mode not in table:
        raise ConfigError(f"unknown mode {mode!r}; known: {', '.join(MODES)}.")
    return table[mode]


def hide(windows: Windows, mask: Mask) -> Windows:
    """Windows in which what the mask names is absent; the input is unchanged."""
    if mask.keep.shape != windows.present.shape:
        raise ConfigError(f"mask of shape {mask.keep.shape} for windows {windows.present.shape}.")
    samples = {}
    present = windows.present & mask.keep
    for m, name in enumerate(windows.schema.names):
        piece = windows.samples[name]
        piece = replace(piece, lengths=np.where(mask.keep[:, m], piece.lengths, 0))
        if mask.points or (mask.segments[:, m, 1] > mask.segments[:, m, 0]).any():
            piece = _hide_samples(piece, windows, mask, m)
            present[:, m] = piece.valid_counts() > 0
        samples[name] = piece
    return windows.replace(samples=samples, present=present)


def _hide_samples(piece: Samples, windows: Windows, mask: Mask, m: int) -> Samples:
    """Copy one modality's samples and set the hidden ones to NaN."""
    values, times, owner = piece.flat()
    if windows.schema.modalities[m].static:
        share = np.full(len(times), -1.0)
    else:
        share = times / windows.duration_s[owner]
    low, high = mask.segments[owner, m, 0], mask.segments[owner, m, 1]
    # A hair of tolerance, so that a border computed in shares does not move a sample.
    values[(share >= low - 1e-10) & (share < high - 1e-10)] = np.nan
    if mask.points:
        draws = [
            np.random.default_rng([mask.seed, m, int(i) >> 32, int(i) & 0xFFFFFFFF]).random(int(k))
            for i, k in zip(windows.ids, piece.lengths, strict=True)
        ]
        values[np.concatenate([*draws, np.zeros(0)]) < mask.points] = np.nan
    first = np.cumsum(piece.lengths) - piece.lengths
    if piece.times is None:
        return replace(piece, values=values, starts=first)
    return replace(
        piece, values=values, starts=first, times=times, origins_s=np.zeros(len(piece.lengths))
    )


def realised_rate(before: Windows, after: Windows, mode: str = "modality") -> float:
    """What was lost of what was naturally there.

    Whole modalities: the share that is absent afterwards. Everything else: the mean share of a
    stream's valid samples that is gone.
    """
    there = before.present
    if not there.any():
        return 0.0
    if mode in WHOLE:
        return float(1.0 - after.present.sum() / there.sum())
    left = after.valid_counts()[there] / before.valid_counts()[there]
    return float(1.0 - left.mean())
