"""The fast way for regular streams against the general one, on whatever streams there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Samples, Windows, window_ids
from maestro_ts.symbols import bins as module
from maestro_ts.symbols import regular
from maestro_ts.symbols.bins import _general_moments, bin_samples
from maestro_ts.symbols.symbolizer import Symbolizer

LARGEST = float(np.finfo(np.float32).max)


@st.composite
def streams(draw):
    """Samples of a few windows of one regular stream, their durations and a number of bins."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, channels = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    rate = draw(st.sampled_from([1.0, 4.0, 32.0, 33.3, 64.0]))
    length = draw(st.integers(0, 90))
    lengths = np.full(n, length)
    if draw(st.booleans()):
        lengths = np.maximum(lengths - rng.integers(0, 3, n), 0)
    step = draw(st.integers(0, 100))
    starts = step * np.arange(n)
    if draw(st.booleans()):
        starts = rng.permutation(starts) + rng.integers(0, 3)
    values = rng.normal(size=(int((starts + lengths).max()) + 3, channels))
    values = values * draw(st.sampled_from([1.0, 1e-30, 1e30])) + draw(st.sampled_from([0.0, 9.8]))
    values = values.astype(np.float32)
    if draw(st.booleans()):
        values[rng.random(values.shape) < draw(st.sampled_from([0.05, 0.5, 1.0]))] = np.nan
    if draw(st.booleans()):
        values[rng.random(values.shape) < 0.1] = draw(st.sampled_from([LARGEST, -LARGEST, 1e-45]))
    origin = draw(st.sampled_from([0.0, 0.1, 1e-13, -0.3]))
    origins = np.full(n, origin) + draw(st.sampled_from([0.0, 1e-12, 0.2])) * rng.random(n)
    duration = max(length, 1) / rate * draw(st.sampled_from([0.5, 1.0, 1.01, 3.0]))
    samples = Samples(values, starts, lengths, None, origins, rate)
    return samples, np.full(n, duration), draw(st.integers(1, 40))


def both(samples, duration_s, bins, static=False):
    fast = regular.regular_moments(
        samples, duration_s, bins, module.bin_of, static=static, peak=True
    )
    return fast, _general_moments(samples, duration_s, bins, static=static)


def assert_agree(fast, general):
    np.testing.assert_array_equal(np.broadcast_to(fast.count, fast.mean.shape), general.count)
    np.testing.assert_array_equal(fast.peak, general.peak)
    largest = general.peak  # a mean near 0 of large values is a difference of rounded sums
    for name in ("mean", "m2"):
        ours, theirs = getattr(fast, name), getattr(general, name)
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        scale = largest if name == "mean" else general.count * largest**2
        there = ~np.isnan(theirs)
        assert (np.abs(ours - theirs)[there] <= 1e-13 * scale[there]).all()


@pytest.fixture(scope="module", autouse=True)
def groups_cost_nothing():
    """So that the fast way takes small streams too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regular, "GROUP_COST", 0)
        patch.setattr(regular, "MOST_PADDING", 10**9)
        patch.setattr(regular, "BLOCK", 300)
        yield


@given(streams(), st.booleans())
@settings(max_examples=400)
def test_moments_are_those_of_the_general_way(stream, static):
    samples, duration_s, bins = stream
    fast, general = both(samples, duration_s, bins, static)
    assert fast is not None
    assert_agree(fast, general)


@given(streams())
@settings(max_examples=150)
def test_symbols_are_those_of_the_general_way(stream):
    samples, duration_s, bins = stream
    m = Modality("a", samples.values.shape[1], samples.rate_hz)
    n = len(duration_s)
    windows = Windows(
        Schema([m]),
        {"a": samples},
        start_s=np.zeros(n),
        duration_s=duration_s,
        subjects=np.array([""] * n),
        sources=np.array([""] * n),
        ids=window_ids(str(i) for i in range(n)),
    )
    symbolizer = Symbolizer(SymbolSettings(tokens=bins)).fit(windows)
    fast = symbolizer(windows)["a"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "regular_moments", lambda *_, **__: None)
        general = symbolizer(windows)["a"]
    for field in ("tokens", "valid", "summary"):
        np.testing.assert_array_equal(getattr(fast, field), getattr(general, field))


def windows_of(n: int, length: int, channels: int = 2) -> Windows:
    x = np.random.default_rng(0).normal(size=(n, length, channels))
    return Windows.from_arrays({"a": x}, [Modality("a", channels, length / 8)], duration_s=8.0)


def test_the_peak_is_found_at_its_first_use_and_survives_hiding():
    windows = windows_of(4, 100)
    binned = bin_samples(windows.samples["a"], windows.duration_s, 16)
    assert binned._moments.peak is None
    hidden = np.zeros((4, 16), dtype=bool)
    hidden[1, 3] = True
    after = binned.take(np.arange(4)).hide(hidden)
    general = _general_moments(windows.samples["a"], windows.duration_s, 16, static=False)
    np.testing.assert_array_equal(binned.peak, general.peak)
    np.testing.assert_array_equal(after.peak[~hidden], general.peak[~hidden])
    assert (after.peak[hidden] == 0).all()


def test_a_part_has_the_moments_of_its_windows():
    windows = windows_of(6, 90)
    binned = bin_samples(windows.samples["a"], windows.duration_s, 16)
    part = binned.part(slice(2, 5))
    for field in ("count", "mean", "m2", "peak"):
        np.testing.assert_array_equal(getattr(part, field), getattr(binned, field)[2:5])


def test_a_window_does_not_depend_on_its_neighbours():
    windows = windows_of(9, 350, 3)
    every = bin_samples(windows.samples["a"], windows.duration_s, 32)
    one = windows[[7]]
    alone = bin_samples(one.samples["a"], one.duration_s, 32)
    for field in ("mean", "m2", "peak"):
        np.testing.assert_array_equal(getattr(alone, field)[0], getattr(every, field)[7])
