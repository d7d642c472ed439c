"""One signal with its symbols, missing ones included, for the report (the paper's figure 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.windows import Windows

__all__ = ["symbol_example"]

SHOWN = 800  # samples


def symbol_example(front_end: object, windows: Windows, label: str) -> dict[str, Any]:
    """The liveliest channel of the first complete window, with a quarter of it hidden.

    Empty for a model whose front end makes no symbols.
    """
    if not isinstance(front_end, SymbolFrontEnd) or not len(windows):
        return {}
    row = int(np.argmax(windows.present.sum(axis=1)))
    window = windows[[row]]
    mask = Mask.nothing(1, len(window.schema))
    mask.segments[..., 0], mask.segments[..., 1] = 0.5, 0.75
    seen = hide(window, mask)
    m = int(np.argmax([_liveliness(window, name) for name in window.schema.names]))
    modality = window.schema.modalities[m]
    values, times = seen.samples[modality.name].window(0)
    channel = int(np.argmax(np.nanstd(values, axis=0)))
    step = max(1, len(values) // SHOWN)
    shown = values[::step, channel]
    symbolizer = front_end.symbolizer
    symbols = symbolizer(seen)[modality.name].tokens[0, :, channel]
    duration = float(window.duration_s[0])
    return {
        "modality": modality.name,
        "channel": channel,
        "unit": modality.unit,
        "label": label,
        "times_s": [float(t) for t in times[::step]],
        "values": [None if np.isnan(v) else float(v) for v in shown],
        "edges_s": np.linspace(0.0, duration, len(symbols) + 1).tolist(),
        "alphabet": symbolizer.settings.alphabet,
        "views": {
            name: symbols[:, v].astype(int).tolist()
            for v, name in enumerate(symbolizer.views_of(modality))
        },
    }


def _liveliness(window: Windows, name: str) -> float:
    """How much a stream moves for its own level: flat streams make dull pictures."""
    values, _ = window.samples[name].window(0)
    if len(values) < 4 or np.isnan(values).all():
        return -1.0
    spread = np.nanstd(values, axis=0)
    return float(np.max(spread / (np.abs(np.nanmean(values, axis=0)) + spread + 1e-12)))
