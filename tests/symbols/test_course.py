"""The order of bins as features: against the slow twin, and what must not move them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.bins import Binned, bin_samples
from maestro_ts.symbols.course import COURSE_FEATURES, course_features
from maestro_ts.symbols.views import spread_view
from reference.slow_symbols import slow_course, slow_window

BINS = 16
FOLLOW_THE_UNIT = ("mean_trend", "log_step")
series = st.lists(st.floats(-100, 100, width=32), min_size=4 * BINS, max_size=4 * BINS)


def features(binned: Binned, floor: np.ndarray) -> np.ndarray:
    return course_features(binned, spread_view(binned, floor), floor)


def moments(x: np.ndarray, bins: int = BINS) -> Binned:
    """Of windows (n, T, C)."""
    windows = Windows.from_arrays({"a": x}, [Modality("a", x.shape[2], 1.0)])
    return bin_samples(windows.samples["a"], windows.duration_s, bins)


def named(x: np.ndarray, floor: float = 0.01) -> dict[str, float]:
    """Features of one window of one channel."""
    found = features(moments(np.asarray(x, dtype=float)[None, :, None]), np.array([floor]))
    return dict(zip(COURSE_FEATURES, found[0, 0].tolist(), strict=True))


@pytest.mark.parametrize("bins", [1, 3, 7, 8, 17, 32])
def test_the_course_agrees_with_its_slow_twin(mixed_windows, bins):
    windows = mixed_windows()
    seen = 0
    for m in windows.schema:
        floor = np.linspace(0.01, 0.5, m.channels)
        binned = bin_samples(windows.samples[m.name], windows.duration_s, bins, static=m.static)
        fast = features(binned, floor)
        assert fast.shape == (len(windows), m.channels, len(COURSE_FEATURES))
        for i in range(len(windows)):
            channels = slow_window(windows, i, m, bins)
            for c in range(m.channels):
                slow = slow_course(channels, c, floor.tolist())
                np.testing.assert_allclose(fast[i, c], slow, rtol=1e-9, atol=1e-9)
                seen += int(np.isfinite(slow).sum())
    assert bins < 3 or seen > 100


@given(series, st.integers(-6, 6))
def test_a_channel_in_another_unit_has_the_same_course(x, power):
    x, scale = np.array(x), 2.0**power
    if x.std() < 1:
        return
    before, after = named(x), named(x * scale, 0.01 * scale)
    for name, value in before.items():
        if name not in FOLLOW_THE_UNIT:
            np.testing.assert_allclose(after[name], value, atol=1e-6)
    np.testing.assert_allclose(after["mean_trend"], scale * before["mean_trend"], rtol=1e-6)


@given(series)
def test_turned_around_the_trends_change_their_sign_and_the_waves_stay(x):
    x = np.array(x)
    before, after = named(x), named(x[::-1])
    for name in ("mean_trend", "spread_trend", "high_at", "low_at"):
        np.testing.assert_allclose(after[name], -before[name], atol=1e-6)
    for name in before:
        if "wave" in name or "lag" in name:
            np.testing.assert_allclose(after[name], before[name], atol=1e-6)


@given(series)
def test_shares_and_correlations_stay_within_their_bounds(x):
    found = named(np.array(x))
    assert np.nansum([v for k, v in found.items() if k.startswith("mean_wave")]) <= 1 + 1e-9
    assert all(abs(v) <= 1 + 1e-9 for k, v in found.items() if "lag" in k)
    assert np.isnan(found["mean_wave_8"])  # takes more than 16 bins


@pytest.mark.parametrize("periods", [1, 3, 8])
def test_a_wave_is_found_at_its_frequency(periods):
    t = (np.arange(16 * 32) + 0.5) / (16 * 32)
    binned = moments(np.sin(2 * np.pi * periods * t)[None, :, None], bins=32)
    found = features(binned, np.array([1e-6]))[0, 0]
    assert found[COURSE_FEATURES.index(f"mean_wave_{periods}")] > 0.99


def test_a_constant_channel_has_a_course_of_zeros():
    found = named(np.full(4 * BINS, 9.81))
    assert found.pop("log_step") == pytest.approx(np.log(0.01))
    assert np.isnan(found.pop("with_next_channel"))  # there is none
    waves = [found.pop(f"{of}_wave_8") for of in ("mean", "spread")]
    assert np.isnan(waves).all()  # take more than 16 bins
    np.testing.assert_allclose(list(found.values()), 0.0, atol=1e-9)


def test_two_channels_that_move_alike_and_against_each_other():
    wave = np.sin(np.arange(64) / 5.0)
    both = features(moments(np.stack([wave, wave, -wave], axis=-1)[None]), np.full(3, 1e-6))
    beside = both[0, :, COURSE_FEATURES.index("with_next_channel")]
    np.testing.assert_allclose(beside, [1, -1, -1], atol=1e-3)


def test_what_is_hidden_does_not_count():
    x = np.random.default_rng(0).normal(size=(2, 4 * BINS, 1))
    other = x.copy()
    other[:, :16] += 100.0
    hidden = np.zeros((2, BINS), dtype=bool)
    hidden[:, :4] = True
    np.testing.assert_allclose(
        features(moments(other).hide(hidden), np.array([0.1])),
        features(moments(x).hide(hidden), np.array([0.1])),
        rtol=1e-9,
    )


def test_a_channel_never_seen_has_no_course_and_the_other_has():
    x = np.random.default_rng(0).normal(size=(1, 64, 2))
    x[..., 1] = np.nan
    found = features(moments(x), np.array([0.1, 0.1]))
    assert np.isnan(found[0, 0]).sum() == 2  # the eighth waves take more than 16 bins
    assert np.isnan(found[0, 1]).all()
