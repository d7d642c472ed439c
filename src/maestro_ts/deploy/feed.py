"""`feed`: how windows become the positional inputs of an exported file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.model.graph.members import Graph
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.signals.windows import Samples, Windows

__all__ = ["Exported", "feed"]

Exported = Graph | SampleGraph
HAIR = 1e-6  # of a sample: a time that is on the grid but for rounding


def feed(graph: Exported, front_end: FrontEnd) -> Callable[[Windows], tuple[Tensor, ...]]:
    """Symbols as the front end makes them, or samples in their places on the grid.

    Parameters
    ----------
    graph : Exported
    front_end : FrontEnd
        The fitted one of the model.
    """
    if isinstance(graph, SampleGraph):
        shapes = graph.shapes

        def samples_of(windows: Windows) -> tuple[Tensor, ...]:
            given = (_on_grid(windows.samples[n], *shape) for n, shape in shapes.items())
            return tuple(torch.from_numpy(values) for values in given)

        return samples_of
    return lambda windows: graph.arguments(front_end(windows))


def _on_grid(piece: Samples, size: int, channels: int) -> NDArray[np.float32]:
    """Samples (n, N, C); NaN where there is none.

    A stream whose first sample lies between two places moves, as a whole, to the earlier one; one
    with times of its own takes the places nearest to where its samples then lie.
    """
    n = len(piece.starts)
    out = np.full((n, size, channels), np.nan, dtype=np.float32)
    values, times, owner = piece.flat()
    if not len(owner):
        return out
    begins = np.cumsum(piece.lengths) - piece.lengths
    first = times[begins[owner]]
    rate = piece.rate_hz or 1.0
    place = np.floor(first * rate + HAIR) + np.round((times - first) * rate)
    inside = (place >= 0) & (place < size)
    out[owner[inside], place[inside].astype(np.int64)] = values[inside]
    return out
