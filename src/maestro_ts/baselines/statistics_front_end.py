"""`StatisticsFrontEnd`: windows → a row of statistics per window, in blocks by modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.baselines.statistics import (
    Features,
    column_names,
    drop_modalities,
    statistics_51,
    statistics_nine,
    statistics_twelve,
)
from maestro_ts.contract.batch import Batch
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["PreparedStatistics", "StatisticsFrontEnd", "Which", "table_of"]

Which = Literal["31", "nine", "twelve"]
TABLES: dict[str, Callable[[Windows], tuple[Features, list[str]]]] = {
    "31": statistics_51,
    "nine": statistics_nine,
    "twelve": statistics_twelve,
}


@dataclass(frozen=True)
class PreparedStatistics:
    """The table (n, F) of all windows, and the windows, for masks that hide parts of a stream."""

    windows: Windows
    features: Features

    def __len__(self) -> int:
        return len(self.features)


class StatisticsFrontEnd:
    """Windows → `Batch` with ``inputs [B, F_m]``, NaN where missing; learns nothing.

    Parameters
    ----------
    which : {"31", "nine", "twelve"}
        The table: `statistics_51`, which has 31 per channel and more, `statistics_nine`, or
        `statistics_twelve` for sparse records.
    """

    def __init__(self, which: Which) -> None:
        self.which, self.compute = which, TABLES[which]

    @property
    def schema(self) -> Schema:
        """Modalities in the model's order."""
        return self._schema

    def fit(self, windows: Windows) -> Self:
        """Remember the schema and its columns."""
        return self.restore(windows.schema, {})

    def restore(self, schema: Schema, state: Mapping[str, NDArray[np.float64]]) -> Self:
        """Inverse of `state`."""
        self._schema = schema
        self.names = column_names(schema, self.which)
        return self

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Nothing is learned."""
        return {}

    def prepare(self, windows: Windows) -> PreparedStatistics:
        """Compute the table once."""
        return PreparedStatistics(windows, self.compute(windows)[0])

    def collate(
        self, prepared: PreparedStatistics, rows: NDArray[np.intp], mask: Mask | None = None
    ) -> Batch:
        """Statistics of some rows, as if the samples that the mask hides had never been there."""
        features, present = prepared.features[rows], prepared.windows.present[rows]
        if mask is not None:
            features = drop_modalities(features, self.names, self.schema, mask.keep)
            present = present & mask.keep
            pieces = mask.segments[:, :, 1] > mask.segments[:, :, 0]
            touched = np.flatnonzero(pieces.any(axis=1) | bool(mask.points))
            if len(touched):
                hidden = hide(prepared.windows[rows[touched]], mask[touched])
                features[touched], present[touched] = self.compute(hidden)[0], hidden.present
        owner = np.array([name.rsplit("/", 2)[0] for name in self.names])
        blocks = {m.name: features[:, owner == m.name] for m in self.schema}
        host = torch.from_numpy(present)
        return Batch(
            inputs={name: torch.from_numpy(block) for name, block in blocks.items()},
            valid={name: torch.from_numpy(~np.isnan(block)) for name, block in blocks.items()},
            present=host,
            host_present=host,
            index=torch.from_numpy(rows.astype(np.int64)),
        )

    def __call__(self, windows: Windows) -> Batch:
        """All windows as one batch."""
        return self.collate(self.prepare(windows), np.arange(len(windows)))


def table_of(batch: Batch, schema: Schema) -> Tensor:
    """The blocks side by side, [B, F], columns as in the front end's `names`."""
    return torch.cat([batch.inputs[name] for name in schema.names], dim=1)
