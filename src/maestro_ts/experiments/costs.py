"""What a window costs a trained model, in full and with sensors absent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.cost import count_components, count_parameters
from maestro_ts.evaluation.pattern_cost import count_patterns, few_patterns
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.masks import pattern_mask
from maestro_ts.signals.windows import Windows

__all__ = ["absences", "cost_of"]


def cost_of(front_end: FrontEnd, network: Network, windows: Windows) -> dict[str, Any]:
    """Parameters, and multiply-accumulates of the fullest window by part and by what is absent.

    A model without parameters does not compute by matrix products: nothing is counted of it.
    """
    if not count_parameters(network):
        return {"parameters": 0}
    row = int(np.argmax(windows.present.sum(axis=1)))
    window = windows[[row]]
    there = [n for m, n in enumerate(window.schema.names) if window.present[0, m]]
    cost: dict[str, Any] = {
        "parameters": count_parameters(network),
        "macs_full": 0,
        "macs_by_missing": [],
    }
    if there:
        batch_of = absences(front_end, window)
        patterns = count_patterns(network, there, batch_of, few_patterns(there))
        cost |= {
            "macs_full": patterns.full,
            "macs_by_component": count_components(network, batch_of(there)),
            "macs_by_missing": [asdict(r) for r in patterns.by_missing()],
        }
    if isinstance(front_end, SymbolFrontEnd):
        cost["tokens"] = dict(front_end.symbolizer.lengths_)
    return cost


def absences(front_end: FrontEnd, windows: Windows) -> Callable[[Sequence[str]], Batch]:
    """Names to keep → the windows as a batch in which the other modalities are absent."""
    prepared, rows = front_end.prepare(windows), np.arange(len(windows))

    def batch_of(kept: Sequence[str]) -> Batch:
        return front_end.collate(prepared, rows, pattern_mask(windows, kept))

    return batch_of
