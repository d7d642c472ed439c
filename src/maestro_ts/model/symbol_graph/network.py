"""A graph that takes samples: symbols are made inside of it, with the rules of `symbols`.

Moments and what follows from them are computed in float64, as there: a symbol changes where a
number crosses a breakpoint, and two programs agree on the side only as far as they agree on the
number.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.model.graph.members import Graph
from maestro_ts.model.symbol_graph.alike import AlikeSymbols, alike
from maestro_ts.model.symbol_graph.grid import check_settings, sample_count
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["SampleGraph"]

PREFIX = "samples/"


class SampleGraph(nn.Module):
    """See the module's docstring.

    Parameters
    ----------
    symbolizer : Symbolizer
        Fitted.
    graph : Graph
        Of the network that was trained on its symbols.
    duration_s : float
        Of all windows.

    Attributes
    ----------
    inputs : tuple of str
        Names of the positional inputs, ``samples/NAME`` in the order of the schema.
    shapes : dict of modality name to (int, int)
        Samples N and channels C of its input [B, N, C].

    Raises
    ------
    ConfigError
        Samples lie on no grid that all windows have in common.
    """

    def __init__(self, symbolizer: Symbolizer, graph: Graph, duration_s: float) -> None:
        super().__init__()
        check_settings(symbolizer)
        self.network, self.names = graph, symbolizer.schema_.names
        self.shapes = {
            m.name: (sample_count(m, duration_s), m.channels) for m in symbolizer.schema_
        }
        self.inputs = tuple(PREFIX + name for name in self.names)
        self.symbols = nn.ModuleList(
            AlikeSymbols(symbolizer, names, duration_s) for names in alike(symbolizer)
        )
        self.eval()

    def named(self, *given: Tensor) -> dict[str, Tensor]:
        """What the graph is given, by name; see `forward`."""
        samples = dict(zip(self.names, given, strict=True))
        named: dict[str, Tensor] = {}
        for group in self.symbols:
            assert isinstance(group, AlikeSymbols)
            named |= group([samples[name] for name in group.names])
        named["present"] = torch.stack([named[f"present/{n}"] for n in self.names], dim=1)
        return named

    def forward(self, *given: Tensor) -> Tensor:
        """Samples [B, N, C] float32 of each modality, NaN is missing → logits [B, K].

        The i-th sample lies i / rate after the window's begin. A modality without a valid sample
        is absent.
        """
        named = self.named(*given)
        logits: Tensor = self.network(*(named[name] for name in self.network.inputs))
        return logits
