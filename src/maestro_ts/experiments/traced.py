"""Test windows through a network whose fusion is watched, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.signals.masks import Mask
from maestro_ts.training.device import threads

__all__ = ["batches_without"]

BATCH = 64


def batches_without(
    front_end: FrontEnd, prepared: object, n: int, keep: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], Batch]]:
    """Rows and batches of n prepared windows in which only the modalities `keep` (M,) are left."""
    with threads(1):
        for first in range(0, n, BATCH):
            rows = np.arange(first, min(first + BATCH, n))
            mask = Mask.nothing(len(rows), len(keep))
            mask.keep[:] = keep
            yield rows, front_end.collate(prepared, rows, mask)
