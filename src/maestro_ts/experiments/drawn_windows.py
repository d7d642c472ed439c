"""Windows of a trained model's shape, without any data: what a pass costs can be told from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.experiments.costs import absences
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

__all__ = ["drawn_batches", "drawn_windows"]

SEED = 0
EVENTS = 64  # samples of a modality without a rate


def drawn_windows(schema: Schema, duration_s: float, n: int) -> Windows:
    """Windows of noise (n of them) in which every modality is present at its rate."""
    rng = np.random.default_rng(SEED)
    sizes = {m.name: _samples(m, duration_s) for m in schema}
    even = {name: (np.arange(k) + 0.5) * duration_s / k for name, k in sizes.items()}
    return Windows.from_arrays(
        {m.name: rng.normal(size=(n, sizes[m.name], m.channels)) for m in schema},
        schema,
        times={m.name: [even[m.name]] * n for m in schema if m.rate_hz is None and not m.static},
        duration_s=duration_s,
    )


def drawn_batches(
    front_end: FrontEnd, duration_s: float, n: int
) -> Callable[[Sequence[str]], Batch]:
    """Names to keep → n drawn windows as a batch, all other modalities absent.

    Symbols are spread evenly over the alphabet, as they are over training data: noise has not the
    level of a sensor, and its symbols would all be the lowest or the highest.
    """
    batch_of = absences(front_end, drawn_windows(front_end.schema, duration_s, n))
    if not isinstance(front_end, SymbolFrontEnd):
        return batch_of
    alphabet = front_end.symbolizer.settings.alphabet

    def evenly(kept: Sequence[str]) -> Batch:
        batch, generator = batch_of(kept), torch.Generator().manual_seed(SEED)

        def spread(symbols: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: _redrawn(s, alphabet, generator) for name, s in symbols.items()}

        others = {k: v for k, v in batch.extras.items() if k.startswith(("summary/", "words/"))}
        return replace(
            batch, inputs=spread(batch.inputs), extras={**batch.extras, **spread(others)}
        )

    return evenly


def _samples(modality: Modality, duration_s: float) -> int:
    if modality.static:
        return 1
    if modality.rate_hz is None:
        return EVENTS
    return max(1, round(modality.rate_hz * duration_s))


def _redrawn(symbols: Tensor, alphabet: int, generator: torch.Generator) -> Tensor:
    """Other symbols where there are any; the same draws whatever is missing."""
    fresh = torch.randint(1, alphabet + 1, symbols.shape, generator=generator)
    return torch.where(symbols > 0, fresh.to(symbols.dtype), symbols)
