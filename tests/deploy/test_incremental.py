"""Kept bins are those that would be computed anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from live_streams import SENSORS, recording

from maestro_ts.deploy.incremental import IncrementalFrontEnd
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.cut import cut
from maestro_ts.signals.recording import Recording, Stream
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.signals.windows import Windows


def jittered(taken: Recording) -> Recording:
    """Streams with times of their own, which stray from the rate, and gaps instead of NaN."""
    streams = {}
    for name, stream in taken.streams.items():
        if stream.times is None:
            times = stream.sample_times()
            times += np.random.default_rng(5).uniform(0, 0.4, len(times)) / (stream.rate_hz or 1)
            kept = ~np.isnan(stream.values).any(axis=1)
            stream = Stream(stream.values[kept], stream.rate_hz, times[kept])
        streams[name] = stream
    return replace(taken, streams=streams)


def constant(taken: Recording) -> Recording:
    """One channel that does not move: whether it does takes the largest magnitude."""
    stream = taken.streams["ecg"]
    values = stream.values.copy()
    values[:, 1] = 1e-9 * np.arange(len(values)) + 7
    return replace(taken, streams=dict(taken.streams) | {"ecg": replace(stream, values=values)})


def both(settings: SymbolSettings, windows: Windows) -> tuple[IncrementalFrontEnd, list, list]:
    """Every window's batch, from kept bins and anew."""
    plain = SymbolFrontEnd(settings).fit(windows)
    front_end = IncrementalFrontEnd(plain)
    return front_end, [front_end(w) for w in windows], [plain(w) for w in windows]


@pytest.mark.parametrize(
    "change", [lambda r: r, jittered, constant], ids=["plain", "jitter", "flat"]
)
@pytest.mark.parametrize(
    "settings",
    [
        SymbolSettings(tokens=16, dictionary=2),
        SymbolSettings(tokens=32, dictionary=1, min_share=0.6),
        SymbolSettings(tokens=16, interpolate_hz=32.0),
    ],
    ids=["words", "min-share", "interpolated"],
)
def test_the_batch_is_the_same(change, settings):
    windows = cut([change(recording(3))], SENSORS, WindowSpec(8.0, 2.0))[:10]
    front_end, found, expected = both(settings, windows)
    assert (front_end.kept > 0) == (settings.interpolate_hz is None)
    check_same(found, expected)


def test_no_bin_is_kept_where_the_step_is_no_number_of_bins():
    windows = cut([recording(3)], SENSORS, WindowSpec(8.0, 1.3)).select(["acc", "ecg"])[:5]
    front_end, found, expected = both(SymbolSettings(tokens=16, dictionary=1), windows)
    assert front_end.kept == 0
    check_same(found, expected)


def check_same(found: list, expected: list) -> None:
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a.present, b.present)
        for part in ("inputs", "valid", "extras"):
            one, other = getattr(a, part), getattr(b, part)
            assert one.keys() == other.keys()
            for name in one:
                assert torch.equal(one[name], other[name]), name


def test_only_new_bins_are_made():
    windows = cut([recording(3)], SENSORS, WindowSpec(8.0, 2.0)).select(["ecg"])[:5]
    front_end, _, _ = both(SymbolSettings(tokens=16), windows)
    assert front_end.made == 16 + 4 * 4
    assert front_end.kept == 4 * 12


def test_a_window_that_does_not_follow_the_last_one_is_made_anew():
    windows = cut([recording(3)], SENSORS, WindowSpec(8.0, 2.0))
    plain = SymbolFrontEnd(SymbolSettings(tokens=16, dictionary=1)).fit(windows)
    front_end = IncrementalFrontEnd(plain)
    for i in (6, 2, 3, 3, 12, 13):
        assert torch.equal(front_end(windows[i]).inputs["acc"], plain(windows[i]).inputs["acc"])
        words = "words/acc"
        assert torch.equal(front_end(windows[i]).extras[words], plain(windows[i]).extras[words])
