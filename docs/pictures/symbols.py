"""Samples → bins → symbols, a stretch was lost: by the package's own symbolizer."""

from __future__ import annotations

import numpy as np
from svg import box, line, path, picture, text

from maestro_ts import Modality, Windows
from maestro_ts.recipe import SymbolSettings
from maestro_ts.symbols.alphabet import MISSING
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["draw"]

RATE_HZ, DURATION_S, BINS, ALPHABET = 20.0, 8.0, 16, 8
LOST_S = (3.0, 4.9)
WIDTH, LEFT, RIGHT, TOP, PANEL = 720, 84, 16, 30, 120
ROW, CELL = TOP + PANEL + 42, 34


def draw() -> str:
    """The picture."""
    times = np.arange(int(RATE_HZ * DURATION_S)) / RATE_HZ
    values = 0.9 * np.sin(0.9 * times - 0.5) + 0.45 * np.sin(5.1 * times) + 0.12 * times
    values[(times >= LOST_S[0]) & (times < LOST_S[1])] = np.nan
    sensor = Modality("temp", rate_hz=RATE_HZ)
    windows = Windows.from_arrays({"temp": values[None, :, None]}, [sensor])
    settings = SymbolSettings(tokens=BINS, alphabet=ALPHABET, views=("shape",), summary=False)
    symbolizer = Symbolizer(settings).fit(windows)
    tokens = symbolizer.symbols("temp", symbolizer.bin(windows)["temp"]).tokens[0, :, 0, 0]

    width = (WIDTH - LEFT - RIGHT) / BINS
    low, high = float(np.nanmin(values)), float(np.nanmax(values))

    def place(time: float, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low)
        return LEFT + time / DURATION_S * BINS * width, TOP + 8 + (1 - share) * (PANEL - 16)

    parts = [text(LEFT, 18, "one window of one channel, cut into bins of equal time", "muted")]
    parts += [text(LEFT - 10, TOP + PANEL / 2 + 5, "samples", "end")]
    for k, symbol in enumerate(tokens):
        x = LEFT + k * width
        parts.append(line(x, TOP, x, TOP + PANEL, "thin"))
        if symbol == MISSING:
            parts.append(box(x, TOP, width, PANEL, "gone", 0.5))
    parts.append(box(LEFT, TOP, BINS * width, PANEL, "frame"))
    there = np.flatnonzero(~np.isnan(values))
    for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
        parts.append(path([place(times[i], values[i]) for i in run], "signal"))
    parts.append(text(LEFT - 10, ROW + CELL / 2 + 5, "symbols", "end"))
    for k, symbol in enumerate(tokens):
        x, lost = LEFT + k * width, symbol == MISSING
        parts.append(box(x + 1, ROW, width - 2, CELL, "gone" if lost else "blue", 1.0))
        look = "middle strong" if lost else "middle strong on"
        parts.append(text(x + width / 2, ROW + CELL / 2 + 5, str(symbol), look))
    parts.append(
        text(LEFT, ROW - 12, f"1 (low) to {ALPHABET} (high); 0: no sample in this bin", "muted")
    )
    title = "A signal with a lost stretch, and its symbols: 0 where no sample is left"
    return picture(WIDTH, ROW + CELL + 12, title, parts)
