"""Golden windows of samples: drawn around what the training windows were like, some with gaps."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.contract.network import Network
from maestro_ts.deploy.golden import DRAWS, SEED, Golden, patterns, steadiest, taken
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.symbolizer import FLOOR_SHARE, Symbolizer

__all__ = ["golden_samples"]

PERIODS = 4.0  # of a wave in a window, at most
GAP = 4  # a gap lasts one part in so many of a window


def golden_samples(
    network: Network, graph: SampleGraph, front_end: SymbolFrontEnd, duration_s: float
) -> Golden:
    """One window for each of `patterns`; see `golden_batch` for how it is chosen of several.

    What kernels of the dictionary answer is rounded, so two that are equal but for that may win in
    one program or the other. Windows whose symbols that changes are chosen last.
    """
    symbolizer = front_end.symbolizer
    present = patterns(len(symbolizer.schema_)).repeat_interleave(DRAWS, dim=0).numpy()
    gaps = np.arange(len(present)) // DRAWS % 2 == 1
    rng = np.random.default_rng(SEED)
    arrays = {}
    for m, name in enumerate(symbolizer.schema_.names):
        values = _drawn(symbolizer, name, len(present), graph.shapes[name][0], rng)
        if not symbolizer.schema_[name].static:
            values[gaps] = _with_gaps(values[gaps], rng)
        values[~present[:, m]] = np.nan
        arrays[name] = values
    batch = front_end(Windows.from_arrays(arrays, symbolizer.schema_, duration_s=duration_s))
    given = tuple(torch.from_numpy(values) for values in arrays.values())
    with torch.no_grad():
        named = graph.named(*given)
        expected = {f"symbols/{name}": symbols for name, symbols in batch.inputs.items()}
        unequal = torch.zeros(len(present), dtype=torch.bool)
        for name, symbols in {**expected, **batch.extras}.items():
            if name in named:
                unequal |= (symbols != named[name]).flatten(1).any(dim=1)
        rows = steadiest(network, batch, unequal)
        logits = network(taken(batch, rows)).logits
    return Golden(tuple(x[rows] for x in given), logits)


def _drawn(
    symbolizer: Symbolizer, name: str, n: int, size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A level, a wave and noise in every channel, (n, N, C)."""
    statistics = symbolizer.statistics_
    within = statistics[f"{name}/floor"] / FLOOR_SHARE  # the typical deviation in a bin
    level = statistics.get(f"{name}/level/mean", np.zeros_like(within))
    apart = statistics.get(f"{name}/level/deviation", within)
    each = (n, 1, len(within))
    values = level + apart * rng.normal(size=each)
    if not symbolizer.schema_[name].static:
        angle = np.linspace(0.0, 2 * np.pi, size)[None, :, None] * rng.uniform(0, PERIODS, each)
        values = values + apart * np.sin(angle + rng.uniform(0, 2 * np.pi, each))
        values = values + within * rng.normal(size=(n, size, len(within)))
    return values.astype(np.float32)


def _with_gaps(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """One gap in all channels, one in the first alone, and single samples, (n, N, C)."""
    n, size, _ = values.shape
    place, long = np.arange(size), size // GAP
    whole, first = rng.integers(0, size, (2, n, 1))
    lost = (place >= whole) & (place < whole + long)
    lost |= (rng.random((n, size)) < 1 / size) & (place > 0)
    values = np.where(lost[:, :, None], np.float32(np.nan), values)
    values[:, :, 0][(place >= first) & (place < first + long)] = np.nan
    return values
