"""One signal with its symbols, missing ones included, for the report (the paper's figure 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["HIDDEN", "liveliest", "symbol_example", "window_example"]

SHOWN = 800  # samples
HIDDEN = (0.5, 0.75)  # of the window


def symbol_example(front_end: object, windows: Windows, label: str) -> dict[str, Any]:
    """The liveliest channel of the first complete window, with a quarter of it hidden.

    Empty for a model whose front end makes no symbols.
    """
    if not isinstance(front_end, SymbolFrontEnd) or not len(windows):
        return {}
    row = int(np.argmax(windows.present.sum(axis=1)))
    window = windows[[row]]
    return window_example(front_end.symbolizer, window, *liveliest(window), label, hidden=HIDDEN)


def liveliest(window: Windows) -> tuple[str, int]:
    """Modality and channel of one window that move most for their level."""
    name = max(window.schema.names, key=lambda name: _liveliness(window, name))
    return name, int(np.argmax(np.nanstd(window.samples[name].window(0)[0], axis=0)))


def window_example(
    symbolizer: Symbolizer,
    window: Windows,
    name: str,
    channel: int,
    label: str,
    hidden: tuple[float, float] | None,
) -> dict[str, Any]:
    """One channel of one window, as plain values: samples, bins with their means, symbols.

    Parameters
    ----------
    symbolizer : Symbolizer
        Fitted.
    window : Windows
        A single one.
    hidden : (float, float) or None
        Share of the window, from and to, that is lost in every modality.
    """
    mask = Mask.nothing(1, len(window.schema))
    if hidden is not None:
        mask.segments[..., 0], mask.segments[..., 1] = hidden
    seen = hide(window, mask)
    modality = window.schema[name]
    values, times = seen.samples[name].window(0)
    step = max(1, len(values) // SHOWN)
    shown = values[::step, channel]
    symbols = symbolizer(seen)[name].tokens[0, :, channel]
    means = symbolizer.bin(seen)[name].mean[0, :, channel]
    duration = float(window.duration_s[0])
    return {
        "modality": name,
        "channel": channel,
        "unit": modality.unit,
        "label": label,
        "times_s": [float(t) for t in times[::step]],
        "values": [None if np.isnan(v) else float(v) for v in shown],
        "edges_s": np.linspace(0.0, duration, len(symbols) + 1).tolist(),
        "means": [None if np.isnan(v) else float(v) for v in means],
        "alphabet": symbolizer.settings.alphabet,
        "views": {
            view: symbols[:, v].astype(int).tolist()
            for v, view in enumerate(symbolizer.views_of(modality))
        },
    }


def _liveliness(window: Windows, name: str) -> float:
    """How much a stream moves for its own level: flat streams make dull pictures."""
    values, _ = window.samples[name].window(0)
    if len(values) < 4 or np.isnan(values).all():
        return -1.0
    spread = np.nanstd(values, axis=0)
    return float(np.max(spread / (np.abs(np.nanmean(values, axis=0)) + spread + 1e-12)))
