"""Runs of samples without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["true_runs", "valid_runs"]


def true_runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First row of every run of True, and the row after its last, (R, 2)."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)


def valid_runs(values: NDArray[np.floating]) -> Iterator[tuple[NDArray[np.intp], int, int]]:
    """Channels, first row and the row after the last of every run without NaN in a channel.

    Channels that miss the same rows come together.

    Parameters
    ----------
    values : ndarray, shape (T, C)
    """
    valid = ~np.isnan(values)
    alike = bool((valid == valid[:, :1]).all())
    channels = np.arange(values.shape[1])
    for group in [channels] if alike else channels[:, None]:
        for first, end in true_runs(valid[:, group[0]]):
            yield group, int(first), int(end)
