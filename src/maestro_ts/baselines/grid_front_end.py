"""`GridFrontEnd`: windows → standardised values on equal steps, the same steps for a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from maestro_ts.baselines.grid_adapter import on_grid
from maestro_ts.contract.batch import Batch
from maestro_ts.recipe import Settings
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Samples, Windows

__all__ = ["GridFrontEnd", "GridSettings", "PreparedGrid"]


class GridSettings(Settings):
    """The steps on which a model sees every window; base of its own settings."""

    grid_hz: float = Field(25.0, gt=0, description="Steps per second of the median window.")
    grid_steps: int = Field(512, ge=2, description="At most so many steps per window.")


@dataclass(frozen=True)
class PreparedGrid:
    """Values and validity per modality, (n, T, C) and (n, T), and what they were made of."""

    windows: Windows
    values: Mapping[str, NDArray[np.float32]]
    valid: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.windows)


class GridFrontEnd:
    """Windows → `Batch` with ``inputs [B, T, C]`` and ``valid [B, T]``; see `contract.front_end`.

    Every channel is standardised by mean and deviation of its valid samples in training. What is
    missing is 0, that is the mean, and a step is valid where one of its channels is known.

    Parameters
    ----------
    settings : GridSettings
    native : bool
        Every regular modality has the steps of its own rate, at most `grid_steps`, and a static
        one has one; otherwise all have the same T.

    Attributes
    ----------
    steps : dict of modality name to int
    """

    def __init__(self, settings: GridSettings, *, native: bool = False) -> None:
        self.settings, self.native = settings, native

    @property
    def schema(self) -> Schema:
        """Modalities in the model's order."""
        return self._schema

    def fit(self, windows: Windows) -> Self:
        """Learn the number of steps, and every channel's mean and deviation."""
        self._schema = windows.schema
        duration_s = float(np.median(windows.duration_s))
        self.steps = {m.name: self._steps_of(m, duration_s) for m in self.schema}
        self.moments = {name: _moments(piece) for name, piece in windows.samples.items()}
        return self

    def _steps_of(self, modality: Modality, duration_s: float) -> int:
        rate_hz = self.settings.grid_hz
        if self.native:
            if modality.static:
                return 1
            rate_hz = modality.rate_hz or rate_hz
        return int(np.clip(round(duration_s * rate_hz), 1, self.settings.grid_steps))

    def prepare(self, windows: Windows) -> PreparedGrid:
        """Resample all windows once."""
        values, valid = {}, {}
        for m in self.schema:
            found = self._values(windows.samples[m.name], m, windows.duration_s)
            values[m.name], valid[m.name] = found
        return PreparedGrid(windows, values, valid)

    def _values(
        self, samples: Samples, modality: Modality, duration_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        mean, scale = self.moments[modality.name]
        raw = on_grid(samples, modality, duration_s, self.steps[modality.name])
        there: NDArray[np.bool_] = ~np.isnan(raw)
        values = np.where(there, (raw - mean) / scale, 0.0)
        return values.astype(np.float32), np.asarray(there.any(axis=2))

    def collate(
        self, prepared: PreparedGrid, rows: NDArray[np.intp], mask: Mask | None = None
    ) -> Batch:
        """Values of some rows, as if the samples that the mask hides had never been there."""
        mask = mask if mask is not None else Mask.nothing(len(rows), len(self.schema))
        pieces = mask.segments[:, :, 1] > mask.segments[:, :, 0]
        pieces = (pieces | bool(mask.points)) & mask.keep & prepared.windows.present[rows]
        touched = np.flatnonzero(pieces.any(axis=1))
        hidden = hide(prepared.windows[rows[touched]], mask[touched]) if len(touched) else None
        inputs, valid = {}, {}
        present = np.zeros((len(rows), len(self.schema)), dtype=bool)
        for m, modality in enumerate(self.schema):
            keep = mask.keep[:, m, None]
            v = prepared.valid[modality.name][rows] & keep
            x = np.where(keep[..., None], prepared.values[modality.name][rows], np.float32(0))
            own = np.flatnonzero(pieces[touched, m])
            if hidden is not None and len(own):
                anew = hidden.samples[modality.name].take(own)
                changed = touched[own]
                x[changed], v[changed] = self._values(anew, modality, hidden.duration_s[own])
            inputs[modality.name], valid[modality.name] = torch.from_numpy(x), torch.from_numpy(v)
            present[:, m] = v.any(axis=1)
        host = torch.from_numpy(present)
        index = torch.from_numpy(rows.astype(np.int64))
        return Batch(inputs=inputs, valid=valid, present=host, host_present=host, index=index)

    def __call__(self, windows: Windows) -> Batch:
        """All windows as one batch."""
        return self.collate(self.prepare(windows), np.arange(len(windows)))

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Steps, means and deviations."""
        state = {f"{name}/steps": np.array([float(t)]) for name, t in self.steps.items()}
        return state | {f"{name}/moments": both for name, both in self.moments.items()}

    def restore(self, schema: Schema, state: Mapping[str, NDArray[np.float64]]) -> Self:
        """Inverse of `state`."""
        self._schema = schema
        self.steps = {m.name: int(state[f"{m.name}/steps"][0]) for m in schema}
        self.moments = {m.name: state[f"{m.name}/moments"] for m in schema}
        return self


def _moments(samples: Samples) -> NDArray[np.float64]:
    """Mean and standard deviation of the valid samples of each channel, (2, C).

    The deviation is 1 for a channel that never changes: dividing by less would make a hair of
    change in a test window enormous.
    """
    channels = samples.values.shape[1]
    count, mean, m2 = np.zeros((3, channels))
    for some in samples.chunks():
        x = samples.take(np.arange(some.start, some.stop)).read().astype(np.float64)
        there = ~np.isnan(x)
        own = there.sum(axis=0)
        part = np.where(there, x, 0.0).sum(axis=0) / np.maximum(own, 1)
        deviation = np.where(there, x - part, 0.0)
        total = np.maximum(count + own, 1)
        m2 += (deviation**2).sum(axis=0) + (part - mean) ** 2 * count * own / total
        mean += (part - mean) * own / total
        count += own
    spread = np.sqrt(m2 / np.maximum(count, 1))
    return np.stack([mean, np.where(spread > 1e-6 * np.maximum(np.abs(mean), 1.0), spread, 1.0)])
