"""`FrontEnd`: windows → `Batch`. Fitted on training windows, no parameters, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from maestro_ts.contract.batch import Batch
from maestro_ts.signals.masks import Mask
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["FrontEnd"]


class FrontEnd(Protocol):
    """The first half of a model.

    `prepare` does what does not depend on a mask, once; `collate` makes a batch of some rows,
    with what a training mask hides absent. ``front_end(windows)`` is both for all rows.
    """

    @property
    def schema(self) -> Schema:
        """Modalities in the model's order."""
        ...

    def fit(self, windows: Windows) -> Self:
        """Learn what may be learned, from training windows only."""
        ...

    def prepare(self, windows: Windows) -> Any:
        """What can be computed once and cached."""
        ...

    def collate(self, prepared: Any, rows: NDArray[np.intp], mask: Mask | None = None) -> Batch:
        """A batch of these rows; `mask` has one row per entry of `rows`.

        A mask here hides whole bins (those whose centre it covers): the same as hiding samples
        when its segments lie on the bins' borders.
        """
        ...

    def __call__(self, windows: Windows) -> Batch:
        """All windows as one batch."""
        ...

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Fitted arrays, for saving."""
        ...

    def restore(self, schema: Schema, state: Mapping[str, NDArray[np.float64]]) -> Self:
        """Inverse of `state`."""
        ...
