"""Sensors that keep time badly: values as recorded, at times that are not those of training.

A sample whose time leaves its window is lost. Static modalities have no time and stay. The draws
are fixed by each window's identity; smaller errors are the larger ones, scaled.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.signals.masks import generators, membership
from maestro_ts.signals.rows import BORDER_S
from maestro_ts.signals.windows import Samples, Windows

__all__ = ["jittered", "skewed", "slower"]


def jittered(windows: Windows, share: float, seed: int = 0) -> Windows:
    """Every sample's time is off by a Gaussian error of its own.

    Parameters
    ----------
    windows : Windows
    share : float
        Deviation of the errors, as share of the window's duration.
    """
    _check_share_of_window(share)
    samples = dict(windows.samples)
    for m, modality in enumerate(windows.schema):
        if modality.static:
            continue
        piece = windows.samples[modality.name]
        _, times, owner = piece.flat()
        errors = [
            np.random.default_rng([seed, m, int(i) >> 32, int(i) & 0xFFFFFFFF]).standard_normal(k)
            for i, k in zip(windows.ids, piece.lengths, strict=True)
        ]
        off = np.concatenate([*errors, np.zeros(0)]) * share * windows.duration_s[owner]
        samples[modality.name] = _retimed(piece, times + off, windows.duration_s)
    return windows.replace(samples=samples)


def skewed(windows: Windows, share: float, seed: int = 0) -> Windows:
    """Every device's clock is off, all of its sensors by the same time.

    Parameters
    ----------
    windows : Windows
    share : float
        Largest error either way, evenly drawn, as share of the window's duration.
    """
    _check_share_of_window(share)
    member = membership(windows.schema)
    drawn = [rng.uniform(-1.0, 1.0, len(member)) for rng in generators(windows.ids, seed)]
    off_s = np.reshape(drawn, (-1, len(member))) @ member * share * windows.duration_s[:, None]
    samples = dict(windows.samples)
    for m, modality in enumerate(windows.schema):
        if modality.static:
            continue
        piece = windows.samples[modality.name]
        _, times, owner = piece.flat()
        samples[modality.name] = _retimed(piece, times + off_s[owner, m], windows.duration_s)
    return windows.replace(samples=samples)


def slower(windows: Windows, share: float) -> Windows:
    """Only a share of the samples exists, evenly spread, as of a sensor of a lower rate.

    Nothing is filtered before: a sensor that samples less often may alias too.

    Raises
    ------
    ConfigError
        A share that is not above 0 and at most 1.
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of samples lies above 0 and at most 1, got {share!r}.")
    samples = dict(windows.samples)
    for modality in windows.schema:
        if modality.static:
            continue
        piece = windows.samples[modality.name]
        _, times, owner = piece.flat()
        within = np.arange(len(times)) - (np.cumsum(piece.lengths) - piece.lengths)[owner]
        # The hair keeps rounding of, say, a third from taking the sample before.
        kept = np.floor((within + 1) * share + 1e-9) > np.floor(within * share + 1e-9)
        samples[modality.name] = _retimed(piece, times, windows.duration_s, kept)
    return windows.replace(samples=samples)


def _check_share_of_window(share: float) -> None:
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"a share of the window lies in [0, 1], got {share!r}.")


def _retimed(
    piece: Samples,
    times_s: NDArray[np.float64],
    duration_s: NDArray[np.float64],
    kept: NDArray[np.bool_] | None = None,
) -> Samples:
    """The samples at other times from their windows' begin (S,), in their order, inside alone."""
    values, _, owner = piece.flat()
    inside = (times_s >= -BORDER_S) & (times_s < duration_s[owner] - BORDER_S)
    if kept is not None:
        inside &= kept
    order = np.lexsort((times_s, owner))
    order = order[inside[order]]
    lengths = np.bincount(owner[order], minlength=len(piece.lengths))
    return replace(
        piece,
        values=values[order],
        times=times_s[order],
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        origins_s=np.zeros(len(lengths)),
    )
