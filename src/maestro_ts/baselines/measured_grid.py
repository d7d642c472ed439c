"""`MeasuredGrid`: the common grid for models that ask when something was measured.

A step holds the mean of the samples that fall into it; between samples nothing is known, where
`GridFrontEnd` draws lines. So a slow stream is unknown at most steps of a fine grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.baselines.grid_adapter import on_grid
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Samples

__all__ = ["MeasuredGrid"]


class MeasuredGrid(GridFrontEnd):
    """Windows → `Batch` with ``inputs [B, T, 2 C]``: values, then flags of what lacks.

    A flag is 1 where a valid step, that is one with some channel, has none of this channel; the
    value is 0 there. A static modality is measured at every step.
    """

    def _values(
        self, samples: Samples, modality: Modality, duration_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        mean, scale = self.moments[modality.name]
        raw = on_grid(samples, modality, duration_s, self.steps[modality.name], lines=False)
        there: NDArray[np.bool_] = ~np.isnan(raw)
        valid = np.asarray(there.any(axis=2))
        values = np.where(there, (raw - mean) / scale, 0.0)
        return np.concatenate([values, ~there], axis=2).astype(np.float32), valid
