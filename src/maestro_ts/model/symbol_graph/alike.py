"""Symbols of modalities that differ in nothing but their numbers: side by side in one product."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maestro_ts.model.symbol_graph.alphabet import Alphabet, Centred
from maestro_ts.model.symbol_graph.grid import cells_of, sample_count
from maestro_ts.model.symbol_graph.interpolation import GraphInterpolation
from maestro_ts.model.symbol_graph.moments import GraphMoments, Moments
from maestro_ts.model.symbol_graph.summary import GraphSummary
from maestro_ts.model.symbol_graph.views import VIEWS
from maestro_ts.model.symbol_graph.words import WordGraph
from maestro_ts.symbols.symbolizer import Symbolizer
from maestro_ts.symbols.views import VIEWS as KNOWN_VIEWS

__all__ = ["AlikeSymbols", "alike"]


def alike(symbolizer: Symbolizer) -> list[list[str]]:
    """Names of modalities, those together that have grid, channels and kernels in common."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for m in symbolizer.schema_:
        kernels: tuple[object, ...] = ()
        if m.name in symbolizer.dictionaries_:
            state = symbolizer.dictionaries_[m.name].state
            kernels = (state["channels"].tobytes(), float(state["unit"][0]))
        key = (m.rate_hz, m.channels, m.static, symbolizer.lengths_[m.name], kernels)
        groups.setdefault(key, []).append(m.name)
    return list(groups.values())


class AlikeSymbols(nn.Module):
    """Symbols of M modalities as `alike` puts them together.

    Parameters
    ----------
    symbolizer : Symbolizer
        Fitted.
    names : sequence of str
    duration_s : float
        Of all windows.
    """

    def __init__(self, symbolizer: Symbolizer, names: Sequence[str], duration_s: float) -> None:
        super().__init__()
        self.names, settings = tuple(names), symbolizer.settings
        m, bins = symbolizer.schema_[names[0]], symbolizer.lengths_[names[0]]
        self.samples = sample_count(m, duration_s)
        rate = m.rate_hz or 1.0  # only a static one has none, and its one sample lies at 0
        times: NDArray[np.float64] = np.arange(self.samples) / rate
        cells = cells_of(times, bins, duration_s)
        self.words = None
        if names[0] in symbolizer.dictionaries_:
            own = [symbolizer.dictionaries_[name] for name in names]
            self.words = WordGraph(own, cells, self.samples, duration_s)
        self.interpolation, wanted = None, settings.interpolate_hz
        if wanted is not None and m.rate_hz is not None and m.rate_hz < wanted and not m.static:
            times = (np.arange(round(duration_s * wanted)) + np.float64(0.5)) / wanted
            self.interpolation = GraphInterpolation(self.samples, m.rate_hz, times)
            cells = cells_of(times, bins, duration_s)
        expected = math.floor((m.rate_hz or 0.0) * duration_s / bins)
        self.moments = GraphMoments(cells, settings.min_share * expected)
        floor = np.stack([symbolizer.statistics_[f"{name}/floor"] for name in names])
        self.register_buffer("floor", torch.from_numpy(floor[..., None]))
        self.floor: Tensor
        self.alphabet = Alphabet(symbolizer.cuts)
        self.views = symbolizer.views_of(m)
        self.centred = nn.ModuleDict(
            {
                view: _centred(symbolizer, names, view)
                for view in self.views
                if KNOWN_VIEWS[view].normalised_by == "training"
            }
        )
        self.summary = None
        if symbolizer.has_summary(m):
            self.summary = GraphSummary(bins, m.channels, settings.course)
            self.centred["summary"] = _centred(symbolizer, names, "summary")

    def forward(self, given: Sequence[Tensor]) -> dict[str, Tensor]:
        """M times [B, N, C] float32, NaN is missing → what a graph takes of them, by name.

        ``symbols/…`` [B, L, C, V], ``words/…`` [B, L, F], ``summary/…`` [B, C, S] uint8 and
        ``present/…`` [B] bool.
        """
        samples = torch.stack(list(given), dim=1).transpose(2, 3)
        read = samples if self.interpolation is None else self.interpolation(samples)
        found = self.moments(read)
        z = torch.stack([self._view(view, found) for view in self.views], dim=4)
        z = torch.where(found.there[..., None], z, math.nan)
        parts = {"symbols": self.alphabet(z).transpose(2, 3)}
        if self.summary is not None:
            features = self.centred["summary"](self.summary(found, self.floor))
            parts["summary"] = self.alphabet(features)
        if self.words is not None:
            parts["words"] = self.words(samples, found.there.all(dim=2))
        parts["present"] = found.there.any(dim=3).any(dim=2)
        return {
            f"{kind}/{name}": part[:, m].contiguous()
            for kind, part in parts.items()
            for m, name in enumerate(self.names)
        }

    def _view(self, view: str, found: Moments) -> Tensor:
        values: Tensor = VIEWS[view](found, self.floor)
        return self.centred[view](values) if view in self.centred else values


def _centred(symbolizer: Symbolizer, names: Sequence[str], key: str) -> Centred:
    statistics = symbolizer.statistics_
    return Centred(
        [statistics[f"{name}/{key}/mean"] for name in names],
        [statistics[f"{name}/{key}/deviation"] for name in names],
    )
