from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.alphabet import breakpoints, to_symbols
from maestro_ts.symbols.bins import Binned, bin_samples
from maestro_ts.symbols.views import SUMMARY_FEATURES, VIEWS, summary_features
from reference.slow_symbols import slow_summary, slow_view, slow_window

FLOOR = np.array([0.01])
BINS = 8
finite = st.floats(-100, 100, width=32)
series = st.lists(finite, min_size=4 * BINS, max_size=4 * BINS)
# Multiples of 1/4 of moderate size: in bins of four samples every moment is exact.
exact_series = st.lists(st.integers(-64, 64), min_size=4 * BINS, max_size=4 * BINS)


def binned(x: np.ndarray, bins: int = BINS) -> Binned:
    """Moments of windows (n, T) of one channel."""
    x = np.atleast_2d(np.asarray(x, dtype=float))
    windows = Windows.from_arrays(x)
    return bin_samples(windows.samples["x"], windows.duration_s, bins)


def view(name: str, x: np.ndarray, bins: int = BINS) -> np.ndarray:
    """A view of windows (n, T), shape (n, L)."""
    return VIEWS[name].values(binned(x, bins), FLOOR)[..., 0]


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("bins", [1, 5, 16])
def test_a_view_agrees_with_its_slow_twin(mixed_windows, name, bins):
    windows = mixed_windows()
    for m in windows.schema:
        floor = np.linspace(0.01, 0.5, m.channels)
        moments = bin_samples(windows.samples[m.name], windows.duration_s, bins, static=m.static)
        fast = VIEWS[name].values(moments, floor)
        for i in range(len(windows)):
            for c, cells in enumerate(slow_window(windows, i, m, bins)):
                slow = slow_view(name, cells, floor[c])
                np.testing.assert_allclose(fast[i, :, c], slow, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bins", [1, 5, 16])
def test_the_summary_agrees_with_its_slow_twin(mixed_windows, bins):
    windows = mixed_windows()
    for m in windows.schema:
        floor = np.linspace(0.01, 0.5, m.channels)
        moments = bin_samples(windows.samples[m.name], windows.duration_s, bins, static=m.static)
        fast = summary_features(moments, floor)
        assert fast.shape == (len(windows), m.channels, len(SUMMARY_FEATURES))
        for i in range(len(windows)):
            for c, cells in enumerate(slow_window(windows, i, m, bins)):
                slow = slow_summary(cells, floor[c])
                np.testing.assert_allclose(fast[i, c], slow, rtol=1e-10, atol=1e-10)


def test_every_view_of_the_settings_exists():
    annotation = SymbolSettings.model_fields["views"].annotation
    assert set(get_args(get_args(annotation)[0])) == set(VIEWS)


@given(series, st.integers(-20, 20))
def test_shape_is_exactly_invariant_under_scaling_by_powers_of_two(x, power):
    x = np.array(x)
    x[np.abs(x) < 2.0**-60] = 0  # so that no scaled value is subnormal
    np.testing.assert_array_equal(view("shape", x * 2.0**power), view("shape", x))


@given(exact_series, st.integers(-1000, 1000))
def test_shape_and_spread_are_exactly_invariant_under_shifts_that_round_nothing(x, shift):
    x = np.array(x)
    constant = 1e-6 * 2000  # a shift moves the border of "constant", which is relative
    if x.std() > constant:
        np.testing.assert_array_equal(view("shape", x + shift), view("shape", x))
    np.testing.assert_array_equal(view("spread", x + shift), view("spread", x))


@given(series, st.floats(-1000, 1000, width=32), st.floats(0.01, 100))
def test_shape_is_invariant_under_any_shift_and_scale_away_from_breakpoints(x, shift, scale):
    x = np.array(x)
    if x.std() < 1:
        return
    before, after = view("shape", x), view("shape", scale * x + shift)
    # Input is float32: a shift rounds by up to 1e-7 of its size.
    slack = 1e-6 * (1 + abs(shift) / scale)
    np.testing.assert_allclose(after, before, atol=slack)
    cuts = breakpoints(20)
    away = np.abs(before[..., None] - cuts).min(axis=-1) > slack
    np.testing.assert_array_equal(to_symbols(after, cuts)[away], to_symbols(before, cuts)[away])


@given(series, st.floats(-1000, 1000, width=32))
def test_spread_is_invariant_under_any_shift(x, shift):
    np.testing.assert_allclose(
        np.exp(view("spread", np.array(x) + shift)), np.exp(view("spread", x)), atol=1e-3
    )


def test_shape_of_a_mirrored_signal_is_mirrored():
    x = np.random.default_rng(0).normal(size=(5, 32))
    np.testing.assert_array_equal(view("shape", -x), -view("shape", x))


def test_level_is_the_mean_of_the_bin():
    assert view("level", [1, 3, 5, 5, -1, 1, 0, 0], bins=4).tolist() == [[2, 5, 0, 0]]


def test_level_follows_shift_and_scale():
    x = np.random.default_rng(0).integers(-9, 9, (5, 32))
    np.testing.assert_array_equal(view("level", 4 * x + 8), 4 * view("level", x) + 8)


def test_spread_rises_with_the_deviation_within_the_bin():
    x = np.concatenate([np.tile([-a, a], 2) for a in range(BINS)])
    spread = view("spread", x)[0]
    assert (np.diff(spread) > 0).all()
    np.testing.assert_allclose(np.exp(spread), np.arange(BINS) + FLOOR)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.3, 1e30, 1e-30])
def test_a_constant_channel_has_shape_zero_and_a_finite_spread(value):
    x = np.full((1, 32), value)
    np.testing.assert_array_equal(view("shape", x), 0)
    np.testing.assert_allclose(view("spread", x), np.log(FLOOR[0]))


def test_rounding_noise_on_a_large_offset_counts_as_constant():
    noise = np.repeat([0.0, 1.0], 16)
    np.testing.assert_array_equal(view("shape", 1e6 + noise, bins=2), 0)
    ramp = np.repeat([0.0, 8.0], 16)
    np.testing.assert_allclose(view("shape", 1e6 + ramp, bins=2), [[-1, 1]])


def test_one_nan_does_not_poison_the_channel():
    x = np.random.default_rng(0).normal(size=32)
    hurt = x.copy()
    hurt[5] = np.nan
    for name in VIEWS:
        assert np.isfinite(view(name, hurt)).all()
        others = np.delete(view(name, hurt) - view(name, x), 1)
        assert np.abs(others).max() < 0.2


def test_a_bin_without_samples_is_nan_in_every_view_and_the_others_are_not():
    x = np.random.default_rng(0).normal(size=32)
    x[8:12] = np.nan
    for name in VIEWS:
        assert np.isnan(view(name, x)[0]).tolist() == [k == 2 for k in range(BINS)]


def test_a_constant_channel_with_a_hole_is_nan_in_the_hole_only():
    x = np.full(32, 5.0)
    x[8:12] = np.nan
    expected = np.where(np.arange(BINS) == 2, np.nan, 0.0)
    np.testing.assert_array_equal(view("shape", x)[0], expected)


@pytest.mark.parametrize("samples", [1, 3, 7, 11, 64])
def test_the_only_bin_there_is_the_average_of_itself(samples):
    """z is exactly 0: rounding must not decide between the two middle symbols."""
    x = np.full((50, BINS * samples), np.nan)
    draws = np.random.default_rng(0).normal(9.8, 1.0, (50, samples))
    x[:, samples : 2 * samples] = draws.astype(np.float32)
    np.testing.assert_array_equal(view("shape", x)[:, 1], 0)


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_shape_is_the_same_for_huge_and_tiny_values(scale):
    x = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    np.testing.assert_allclose(view("shape", x * scale), view("shape", x), atol=1e-5)


def test_hidden_bins_do_not_count_in_the_mean_of_the_window():
    x = np.random.default_rng(0).normal(size=(2, 32))
    x[:, :8] += 100
    hidden = np.zeros((2, BINS), dtype=bool)
    hidden[:, :2] = True
    after = VIEWS["shape"].values(binned(x).hide(hidden), FLOOR)[..., 0]
    np.testing.assert_allclose(after[:, 2:], view("shape", x[:, 8:], bins=6), rtol=1e-12)


def test_the_summary_of_a_channel_never_seen_is_nan_and_of_the_other_is_not():
    x = np.random.default_rng(0).normal(size=(1, 32, 2))
    x[..., 1] = np.nan
    windows = Windows.from_arrays({"a": x}, [Modality("a", 2, 1.0)])
    moments = bin_samples(windows.samples["a"], windows.duration_s, BINS)
    features = summary_features(moments, np.array([0.1, 0.1]))
    assert np.isfinite(features[0, 0]).all()
    assert np.isnan(features[0, 1]).all()
