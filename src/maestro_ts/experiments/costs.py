"""What a window costs a trained model, in full and with sensors absent."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.cost import count_macs, count_parameters
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.masks import hide, pattern_mask
from maestro_ts.signals.windows import Windows

__all__ = ["cost_of"]


def cost_of(front_end: FrontEnd, network: Network, windows: Windows) -> dict[str, Any]:
    """Parameters, and multiply-accumulates of the fullest window with 0, 1, … modalities absent."""
    row = int(np.argmax(windows.present.sum(axis=1)))
    window = windows[[row]]
    there = [n for m, n in enumerate(window.schema.names) if window.present[0, m]]
    by_missing = []
    for k in range(len(there)):
        seen = hide(window, pattern_mask(window, there[: len(there) - k]))
        by_missing.append({"missing": k, "macs": count_macs(network, front_end(seen))})
    cost: dict[str, Any] = {
        "parameters": count_parameters(network),
        "macs_full": by_missing[0]["macs"] if by_missing else 0.0,
        "macs_by_missing": by_missing,
    }
    if isinstance(front_end, SymbolFrontEnd):
        cost["tokens"] = dict(front_end.symbolizer.lengths_)
    return cost
