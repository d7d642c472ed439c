"""The regular grid: where the samples of a window lie, the same for all windows of one length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maestro_ts.errors import ConfigError
from maestro_ts.signals.modality import Modality
from maestro_ts.symbols.bins import bin_of
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["OUTSIDE", "Cells", "cells_of", "check_settings", "sample_count"]

WHOLE = 1e-6  # samples: by so much rate × duration may miss a whole number
OUTSIDE = "Export it with symbols outside (without --samples)."


@dataclass(frozen=True)
class Cells:
    """A window's samples, bin by bin.

    Attributes
    ----------
    places : Tensor, shape (L, K), int64
        Which sample is the k-th of a bin; some sample where a bin has fewer than K.
    used : Tensor, shape (L, K), bool
        Whether the bin has so many.
    """

    places: Tensor
    used: Tensor


def check_settings(symbolizer: Symbolizer) -> None:
    """Refuse a model whose windows differ in length, or that fills in what is missing.

    Raises
    ------
    ConfigError
    """
    if symbolizer.duration_varies:
        raise ConfigError(
            "windows of this model differ in length, so their samples lie on no common grid.",
            fix=OUTSIDE,
        )
    if symbolizer.settings.missing != "symbol":
        raise ConfigError(
            "numbers stand for what is missing (symbols.missing), which a file does not fill in.",
            fix=OUTSIDE,
        )


def sample_count(m: Modality, duration_s: float) -> int:
    """Samples N of a modality in a window, 1 of a static one.

    Raises
    ------
    ConfigError
        It has no rate, or a window holds no whole number of its samples.
    """
    if m.static:
        return 1
    where = f"modality {m.name!r}"
    if m.rate_hz is None:
        raise ConfigError(
            "it is irregular: without a rate its samples lie on no grid.", where=where, fix=OUTSIDE
        )
    exact = m.rate_hz * duration_s
    if abs(exact - round(exact)) > WHOLE or round(exact) < 1:
        raise ConfigError(
            f"{m.rate_hz:g} Hz for {duration_s:g} s are {exact:g} samples, no whole number.",
            where=where,
            fix=OUTSIDE,
        )
    return round(exact)


def cells_of(times_s: np.ndarray, bins: int, duration_s: float) -> Cells:
    """Bins of samples at these times (N,), never decreasing, of a window of this length."""
    place = bin_of(times_s, bins, np.full(len(times_s), duration_s))
    sizes = np.bincount(place[(place >= 0) & (place < bins)], minlength=bins)
    first = np.searchsorted(place, np.arange(bins))
    slots = np.arange(max(int(sizes.max()), 1))
    used = slots < sizes[:, None]
    places = np.where(used, first[:, None] + slots, 0)
    return Cells(torch.from_numpy(places), torch.from_numpy(used))
