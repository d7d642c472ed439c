"""Rates from 4 to 700 Hz agree about when something happened, two hours into a recording."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import card
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.alphabet import MISSING
from maestro_ts.symbols.bins import bin_samples
from maestro_ts.symbols.symbolizer import Symbolizer

HOURS_2 = 7200
NAMES = ("chest_ecg", "wrist_acc", "wrist_bvp", "wrist_eda")  # 700, 32, 64 and 4 Hz
SCHEMA = Schema(m for m in card("wesad").schema if m.name in NAMES)
BINS = 32  # of a window of 8 s: 0.25 s, one sample of the slowest


def two_hours(event_s: float) -> Recording:
    """Noise about 0, from the event on about 5, in every stream; one label throughout."""
    streams = {}
    for m in SCHEMA:
        rate = m.rate_hz or 0.0
        noise = np.random.default_rng(0).normal(0, 0.1, (int(HOURS_2 * rate), m.channels))
        noise[np.arange(len(noise)) / rate >= event_s] += 5
        streams[m.name] = Stream(noise.astype(np.float32), rate)
    return Recording(streams, "S2", "S2.pkl", (Interval(0.0, float(HOURS_2), "baseline"),))


def first_bin_after(windows: Windows, row: int, name: str) -> int:
    """The first bin whose mean is nearer to 5 than to 0."""
    binned = bin_samples(
        windows[row : row + 1].samples[name], windows.duration_s[row : row + 1], BINS
    )
    return int(np.flatnonzero(binned.mean[0, :, 0] > 2.5)[0])


@pytest.mark.parametrize("event_s", [13.0, 3601.25, 7197.5, 7197.61])
def test_an_event_lies_in_the_same_bin_of_every_stream(event_s: float) -> None:
    windows = cut([two_hours(event_s)], SCHEMA, WindowSpec(8.0, 4.0))
    assert len(windows) == (HOURS_2 - 8) // 4 + 1
    rows = np.flatnonzero((windows.start_s <= event_s) & (event_s < windows.start_s + 8))
    for row in rows:
        exact = (event_s - windows.start_s[row]) / 8 * BINS
        found = {name: first_bin_after(windows, row, name) for name in NAMES}
        for name, place in found.items():
            # A bin is half full of the event at worst, and the slowest stream has one sample a bin.
            assert exact - 0.5 <= place < exact + 1, (name, row, found)
        if exact == int(exact):  # on a bin's border nothing is left to rounding
            assert set(found.values()) == {int(exact)}


def test_tokens_before_and_after_the_event_differ_at_the_same_place() -> None:
    event_s, spec = 7197.5, WindowSpec(8.0, 8.0)
    # Learned where half of the time is after the event: noise stays within a symbol or two.
    symbolizer = Symbolizer(SymbolSettings(tokens=16)).fit(
        cut([two_hours(HOURS_2 / 2)], SCHEMA, spec)
    )
    windows = cut([two_hours(event_s)], SCHEMA, spec)
    row = int(event_s // 8)
    share = (event_s - windows.start_s[row]) / 8
    level = symbolizer.views_of(SCHEMA["chest_ecg"]).index("level")
    for name, symbols in symbolizer(windows[row : row + 1]).items():
        tokens = symbols.tokens[0, :, 0, level].astype(int)
        assert (tokens != MISSING).all()
        step = int(np.argmax(np.diff(tokens))) + 1
        assert step == share * len(tokens), (name, tokens)
