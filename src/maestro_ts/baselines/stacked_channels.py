"""All channels of all modalities side by side on the common grid, for networks of one series."""

from __future__ import annotations

import torch
from torch import Tensor

from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd

__all__ = ["common_steps", "presence_channels", "stacked"]


def common_steps(fitted: FrontEnd) -> int:
    """Steps of the common grid."""
    assert isinstance(fitted, GridFrontEnd)
    return fitted.steps[fitted.schema.names[0]]


def stacked(batch: Batch, names: tuple[str, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Channels [B, T, C] in the order of `names`, and where any modality is there, [B, T]."""
    series = torch.cat([batch.inputs[name] for name in names], dim=2).to(dtype)
    steps = torch.stack([batch.valid[name] for name in names]).any(dim=0)
    return series, steps


def presence_channels(batch: Batch, series: Tensor) -> Tensor:
    """One more channel per modality, 1 throughout where it is present: [B, T, C + M]."""
    flags = batch.present[:, None, :].to(series.dtype).expand(-1, series.shape[1], -1)
    return torch.cat([series, flags], dim=2)
