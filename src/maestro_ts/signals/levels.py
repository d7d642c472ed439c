"""Level and spread of every channel over some windows: what noise on others is measured in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Samples, Windows

__all__ = ["Levels"]


@dataclass(frozen=True)
class Levels:
    """Over all valid samples.

    Attributes
    ----------
    mean, deviation : dict of modality name to (C,)
        0 where a channel has no valid sample.
    """

    mean: Mapping[str, NDArray[np.float64]]
    deviation: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, windows: Windows) -> Levels:
        """Those of these windows; a sample of two windows counts twice."""
        found = {name: _moments(windows.samples[name]) for name in windows.schema.names}
        return cls(
            {name: mean for name, (mean, _) in found.items()},
            {name: deviation for name, (_, deviation) in found.items()},
        )


def _moments(samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    channels = samples.values.shape[1]
    count, mean, squares = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    for some in samples.chunks():
        values = samples.take(np.arange(some.start, some.stop)).read().astype(np.float64)
        valid = ~np.isnan(values)
        n = valid.sum(axis=0)
        own = np.where(valid, values, 0.0).sum(axis=0) / np.maximum(n, 1)
        spread = (np.where(valid, values - own, 0.0) ** 2).sum(axis=0)
        # Pooled about the common mean: far from 0, a plain sum of squares would lose the spread.
        total = np.maximum(count + n, 1)
        squares += spread + (own - mean) ** 2 * count * n / total
        mean += (own - mean) * n / total
        count += n
    return mean, np.sqrt(squares / np.maximum(count, 1))
