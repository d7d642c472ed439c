"""Which windows hold samples enough to be kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError
from maestro_ts.signals.modality import Schema

__all__ = ["covered", "is_covered"]


def covered(
    schema: Schema, valid: NDArray[np.int64], duration_s: NDArray[np.float64], share: float
) -> NDArray[np.intp]:
    """Numbers of the windows in which some modality has a share of the samples its rate promises.

    Parameters
    ----------
    schema : Schema
    valid : ndarray, shape (n, M)
        Samples with a value in some channel.
    duration_s : ndarray, shape (n,)
    share : float
        Above 0. Of a modality without a rate one valid sample is enough; a static one
        does not count.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    DataError
        None.
    """
    kept = is_covered(schema, valid, duration_s, share)
    if not kept.any():
        raise DataError(
            f"no window has a modality with {share:.0%} of its samples.",
            fix="Choose a smaller min_coverage.",
        )
    return np.flatnonzero(kept)


def is_covered(
    schema: Schema, valid: NDArray[np.int64], duration_s: NDArray[np.float64], share: float
) -> NDArray[np.bool_]:
    """Which windows `covered` keeps, (n,)."""
    kept = np.zeros(len(valid), dtype=bool)
    for m, modality in enumerate(schema):
        if modality.static:
            continue
        # A window of 1.5 steps holds one sample or two: neither lacks any.
        promised = np.floor((modality.rate_hz or 0.0) * duration_s + 1e-9)
        needed = np.ceil(share * promised - 1e-9)
        kept |= valid[:, m] >= np.maximum(needed, 1)
    return kept
