"""Words of the dictionary; the same rules as `symbols.dictionary` and `symbols.competition`.

What kernels answer is added up in float64 of the float32 numbers that they read there: nearer to
the exact answer than one order of summing in float32 is to another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from maestro_ts.errors import ConfigError
from maestro_ts.model.symbol_graph.alphabet import Alphabet
from maestro_ts.model.symbol_graph.filled import Filled
from maestro_ts.model.symbol_graph.grid import OUTSIDE, Cells
from maestro_ts.signals.windows import Samples
from maestro_ts.symbols.alphabet import MISSING
from maestro_ts.symbols.competition import (
    CENTRE,
    DILATIONS,
    KERNELS,
    LENGTH,
    REPRESENTATIONS,
    reads_beyond,
    tap_weights,
)
from maestro_ts.symbols.dictionary import FLAT, Dictionary
from maestro_ts.symbols.held import Held, held

__all__ = ["WordGraph"]


class WordGraph(nn.Module):
    """Words of M modalities with the same grid, channels and kernels.

    Parameters
    ----------
    dictionaries : sequence of Dictionary
    cells : Cells
    samples : int
        N.
    duration_s : float

    Raises
    ------
    ConfigError
        In training samples came at another pace than the grid's: no window on it has words.
    """

    def __init__(
        self, dictionaries: Sequence[Dictionary], cells: Cells, samples: int, duration_s: float
    ) -> None:
        super().__init__()
        first = dictionaries[0]
        self.groups, self.filled = first.competition.groups, Filled(cells)
        self.alphabet = Alphabet(first.cuts)
        unit = first.competition.unit
        signal, *_ = [_layout(each, samples, duration_s) for each in dictionaries]
        slot = np.arange(signal.positions.max())
        used = slot < signal.positions[:, None]
        at = signal.first[:, None] - reads_beyond(unit) + slot * signal.stride[:, None]
        at = np.where(used, at, 0)
        self.shape = used.shape
        self._keep("used", used)
        self._keep("count", np.maximum(signal.positions, 1).astype(np.float32))
        self._keep("at", at.ravel())
        taps = np.delete(np.arange(LENGTH) - CENTRE, CENTRE) * unit
        for d, dilation in enumerate(DILATIONS):
            index = (at.ravel() + (taps * dilation)[:, None]).ravel()
            inside = (index >= 0) & (index < samples)
            for r in range(REPRESENTATIONS):
                # Values are held beyond the window's ends; steps are 0 there, as the last one is.
                beyond = np.where(inside, index, samples - 1) if r else index
                self._keep(f"places_{d}_{r}", beyond.clip(0, samples - 1))
                both = [_weights(each, d, r) for each in dictionaries]
                self._keep(f"channels_{d}_{r}", both[0][0])
                self._keep(f"weights_{d}_{r}", np.stack([w for _, w in both]).astype(np.float64))
        mean = np.stack([each.state["mean"] for each in dictionaries])
        deviation = np.stack([each.state["deviation"] for each in dictionaries])
        by = 1.0 / np.maximum(deviation, np.maximum(FLAT * mean, 1e-30))
        self._keep("mean", mean[..., None])
        self._keep("by", by[..., None])
        low, high = signal.reach[0, :, :1], signal.reach[0, :, 1:]
        bins = np.arange(len(low))
        self._keep("reached", (low <= bins) & (bins <= high))

    def _keep(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))

    def forward(self, samples: Tensor, complete: Tensor) -> Tensor:
        """Words of samples, s₀ unless all bins that they depend on are complete.

        Parameters
        ----------
        samples : [B, M, C, N] float32
        complete : [B, M, L] bool

        Returns
        -------
        [B, M, L, F] uint8
        """
        values = self.filled(samples)
        steps = values[..., 1:] - values[..., :-1]
        signals = values, torch.cat([steps, torch.zeros_like(values[..., :1])], dim=3)
        parts = []
        for d in range(len(DILATIONS)):
            for r, signal in enumerate(signals):
                parts += self._compete(signal, d, r)
        mean = torch.cat(parts, dim=2) / self.get_buffer("count")
        z = (mean.clamp(min=0.0).sqrt().double() - self.get_buffer("mean")) * self.get_buffer("by")
        symbols = self.alphabet(z).transpose(2, 3)
        lacking = (self.get_buffer("reached") & ~complete[:, :, None, :]).any(dim=3)
        return torch.where(lacking[..., None], MISSING, symbols)

    def _compete(self, signal: Tensor, d: int, r: int) -> list[Tensor]:
        """What kernels won and lost, summed over the positions of bins, [B, M, G · 8, L] each."""
        own = signal.index_select(2, self.get_buffer(f"channels_{d}_{r}"))
        shape = own.shape[:3]
        centre = own.index_select(3, self.get_buffer("at"))[:, :, :, None]
        read = own.index_select(3, self.get_buffer(f"places_{d}_{r}"))
        read = (read.view(*shape, LENGTH - 1, -1) - centre).double()
        response = self.get_buffer(f"weights_{d}_{r}") @ read.flatten(2, 3)
        response = response.view(*shape[:2], self.groups, KERNELS, *self.shape)
        used = self.get_buffer("used")
        best = (response == response.amax(dim=3, keepdim=True)) & used
        worst = (response == response.amin(dim=3, keepdim=True)) & used
        won = torch.where(best, response, 0.0).sum(dim=5)
        return [won.float().flatten(2, 3), worst.float().sum(dim=5).flatten(2, 3)]


def _layout(dictionary: Dictionary, samples: int, duration_s: float) -> Held:
    """Where kernels are applied in a window that has all its samples; the same for all alike."""
    blank = Samples(
        values=np.zeros((samples, 1), dtype=np.float32),
        starts=np.zeros(1, dtype=np.int64),
        lengths=np.array([samples]),
        times=None,
        origins_s=np.zeros(1),
        rate_hz=dictionary.rate_hz,
    )
    beyond, gap_s = reads_beyond(dictionary.competition.unit), float(dictionary.state["gap_s"][0])
    rate_hz = dictionary.rate_hz
    signal = held(blank, np.array([duration_s]), dictionary.bins, rate_hz, gap_s, beyond)
    if (signal.uneven > dictionary.state["uneven"][0]).any():
        raise ConfigError(
            f"a grid of {rate_hz:g} Hz has no words of local shape: in training samples came every "
            f"{gap_s:.3g} s.",
            fix=f"Correct rate_hz in the schema and fit again. {OUTSIDE}",
        )
    return signal


def _weights(dictionary: Dictionary, d: int, r: int) -> tuple[np.ndarray, np.ndarray]:
    """Channels that kernels read, and the weights of all taps but the centre's."""
    state = dictionary.state
    channels = state["channels"].astype(np.int64)
    return tap_weights(state["kernels"][d, r], channels[d, r], state["scale"])
