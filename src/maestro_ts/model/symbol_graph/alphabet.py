"""Numbers → symbols, and what they are normalised by; the same rules as `symbols.alphabet`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maestro_ts.symbols.alphabet import MISSING

__all__ = ["Alphabet", "Centred"]


class Alphabet(nn.Module):
    """``1 + #{a : β_a < z}``, and 0 for NaN.

    Parameters
    ----------
    cuts : ndarray, shape (A − 1,)
        Breakpoints β.
    """

    def __init__(self, cuts: NDArray[np.float64]) -> None:
        super().__init__()
        self.register_buffer("cuts", torch.from_numpy(cuts.copy()))
        self.cuts: Tensor

    def forward(self, z: Tensor) -> Tensor:
        """Float64 of any shape → uint8 of the same."""
        below = (self.cuts < z[..., None]).float().sum(dim=-1)
        return torch.where(z.isnan(), float(MISSING), 1.0 + below).to(torch.uint8)


class Centred(nn.Module):
    """Less the training windows' mean, by their deviation: `Symbolizer` says how.

    Parameters
    ----------
    mean, deviation : sequence of ndarray, shape (C,) or (C, S)
        Of each of M modalities.
    """

    def __init__(
        self, mean: Sequence[NDArray[np.float64]], deviation: Sequence[NDArray[np.float64]]
    ) -> None:
        super().__init__()
        middle, spread = np.stack(mean), np.stack(deviation)
        if middle.ndim == 2:  # the same for all bins
            middle, spread = middle[..., None], spread[..., None]
        tiny = np.maximum(1e-9 * np.abs(middle), 1e-30)
        flat = spread <= tiny
        self.flat = bool(flat.any())
        self.register_buffer("mean", torch.from_numpy(middle))
        self.register_buffer("scale", torch.from_numpy(np.maximum(spread, tiny)))
        # Of values that never differed, what rounding makes of them must not choose a symbol.
        self.register_buffer("noise", torch.from_numpy(np.where(flat, tiny, -1.0)))
        self.mean: Tensor
        self.scale: Tensor
        self.noise: Tensor

    def forward(self, values: Tensor) -> Tensor:
        """[B, M, C, L or S] → the same."""
        apart = values - self.mean
        if self.flat:
            apart = torch.where(apart.abs() <= self.noise, 0.0, apart)
        return apart / self.scale
