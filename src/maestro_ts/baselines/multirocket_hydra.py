"""MultiRocket-Hydra on the common grid, with ridge regression and copies with missing sensors.

What is missing is 0, which is the training mean; flags say which modalities are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from maestro_ts.baselines.copies import with_copies
from maestro_ts.baselines.fitted_network import FittedNetwork, row_products
from maestro_ts.baselines.grid_front_end import GridFrontEnd, GridSettings
from maestro_ts.baselines.ridge import fit_ridge
from maestro_ts.baselines.rocket_transforms import (
    ARRAYS,
    LEAST_STEPS,
    Transforms,
    fit_transforms,
)
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows

__all__ = ["MultiRocketHydra", "Settings", "fit", "front_end", "network"]

# So that ridge regression can use a flag cheaply beside thousands of features.
FLAG = 10.0
SCALES = ("hydra_mean", "hydra_scale", "rocket_mean", "rocket_scale")

Array = NDArray[np.float32]


class Settings(GridSettings):
    """Fewer kernels than published (6250), for copies and two cores."""

    kernels: int = Field(3000, ge=84, description="Of MultiRocket; four features each, twice.")
    groups: int = Field(64, ge=2, multiple_of=2, description="Of eight kernels, of Hydra.")
    copies: int = Field(2, ge=0, description="Of every window, with missing sensors.")


class MultiRocketHydra(FittedNetwork):
    """Features scaled as in training, flags, and one linear map.

    Parameters
    ----------
    schema : Schema
    groups : int
    **arrays : Tensor
        `rocket_transforms.ARRAYS`, `SCALES`, and ``coefficients`` [F, K] in float64.
    """

    coefficients: Tensor

    def __init__(self, schema: Schema, groups: int, **arrays: Tensor) -> None:
        super().__init__(**arrays)
        self.schema, self.groups = schema, groups
        self._transforms: Transforms | None = None

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K] of a batch of the grid."""
        series = series_of(batch, self.schema)
        if self._transforms is None:
            arrays = {name: self.get_buffer(name) for name in ARRAYS}
            self._transforms = Transforms(arrays, series.shape[1:], self.groups)
        scales = {name: self.get_buffer(name).cpu().numpy() for name in SCALES}
        features = _scaled(self._transforms(series), batch, scales)
        table = torch.from_numpy(features).to(self.coefficients)
        return Output(row_products(table, self.coefficients))

    def __getstate__(self) -> dict[str, Any]:
        # The transforms are made of the buffers: a copy makes its own.
        return self.__dict__ | {"_transforms": None}


def series_of(batch: Batch, schema: Schema) -> Array:
    """All channels side by side, (B, C, T); windows shorter than a kernel get zeros behind."""
    parts = [batch.inputs[name].cpu().numpy() for name in schema.names]
    series = np.concatenate(parts, axis=2).swapaxes(1, 2)
    lacking = max(LEAST_STEPS - series.shape[2], 0)
    return np.ascontiguousarray(np.pad(series, ((0, 0), (0, 0), (0, lacking))))


def _scaled(found: tuple[Array, Array], batch: Batch, scales: dict[str, Array]) -> Array:
    """Hydra's sparse scaling, MultiRocket's standard one; then the flags and the intercept's 1."""
    hydra, rocket = np.sqrt(np.maximum(found[0], 0.0)), found[1]
    flags = np.ones((len(batch), len(batch.present[0]) + 1), dtype=np.float32)
    flags[:, 1:] = batch.host_present.numpy()
    return np.concatenate(
        [
            (hydra - scales["hydra_mean"]) * (hydra != 0) / scales["hydra_scale"],
            (rocket - scales["rocket_mean"]) / scales["rocket_scale"],
            FLAG * flags,
        ],
        axis=1,
        dtype=np.float32,
    )


def _scales(hydra: Array, rocket: Array) -> dict[str, Array]:
    """Means and deviations; a Hydra count that is often 0 is divided by more, as published."""
    hydra = np.sqrt(np.maximum(hydra, 0.0))
    spread = rocket.std(axis=0)
    return {
        "hydra_mean": hydra.mean(axis=0),
        "hydra_scale": hydra.std(axis=0, ddof=1)
        + (hydra == 0).mean(axis=0, dtype=np.float32) ** 4
        + np.float32(1e-8),
        "rocket_mean": rocket.mean(axis=0),
        "rocket_scale": np.where(spread > 1e-6, spread, np.float32(1.0)),
    }


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> MultiRocketHydra:
    """Without kernels yet."""
    blank = {name: torch.zeros(0) for name in (*ARRAYS, *SCALES, "coefficients")}
    return MultiRocketHydra(fitted.schema, recipe.own(Settings).groups, **blank)


def fit(
    fitted: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> MultiRocketHydra:
    """Draw kernels, transform all windows and their copies, solve."""
    own, rng = recipe.own(Settings), np.random.default_rng(seed)
    batches = with_copies(fitted, windows, own.copies, recipe.curriculum, rng)
    series = [series_of(batch, fitted.schema) for batch in batches]
    # Biases from series with and without losses, as they will be met.
    arrays = fit_transforms(np.concatenate(series), own.kernels, own.groups, rng)
    transform = Transforms(arrays, series[0].shape[1:], own.groups)
    found = [transform(part) for part in series]
    scales = _scales(*(np.concatenate([part[i] for part in found]) for i in (0, 1)))
    features = np.concatenate([_scaled(f, b, scales) for f, b in zip(found, batches, strict=True)])
    share = np.tile(weights.astype(np.float64) / len(batches), len(batches))
    labels = np.tile(targets, len(batches))
    arrays |= {name: torch.from_numpy(scale) for name, scale in scales.items()}
    arrays["coefficients"] = torch.from_numpy(
        fit_ridge(features, labels, share, n_outputs, len(windows))
    )
    return MultiRocketHydra(fitted.schema, own.groups, **arrays)
