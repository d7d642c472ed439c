"""An encoder of one modality: three convolutions of stride two, with masks beside the values."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.masked_steps import kept

__all__ = ["ConvEncoder", "seen"]

KERNELS = (7, 5, 3)


class ConvEncoder(nn.Module):
    """Convolution, norm over the channels of a step, GELU and dropout, three times.

    What is not there stays 0 after every block: a step lives on where one of the two it stands
    for is there.

    Parameters
    ----------
    channels : int
    widths : sequence of three int
    dropout : float
    """

    def __init__(self, channels: int, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        before = (channels, *widths)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel, stride=2, padding=kernel // 2, bias=False)
            for a, b, kernel in zip(before, widths, KERNELS, strict=False)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """[B, C, T] and [B, T] → [B, D, T / 8] and [B, T / 8], rounded up."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(x).transpose(1, 2)).transpose(1, 2)
            steps = _either_of_two(steps)
            x = kept(self.dropout(F.gelu(x)), steps)
        return x, steps


def _either_of_two(steps: Tensor) -> Tensor:
    filled = F.pad(steps, (0, steps.shape[1] % 2))
    return filled[:, ::2] | filled[:, 1::2]


def seen(steps: Tensor, present: Tensor, absent: str) -> Tensor:
    """Steps [B, T] that a model looks at: under ``zero`` all of those of an absent modality."""
    return steps | ~present[:, None] if absent == "zero" else steps
