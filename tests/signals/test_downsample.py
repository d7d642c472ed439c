from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from maestro_ts.errors import ConfigError
from maestro_ts.signals.downsample import Downsampler

RATES = [(700.0, 100.0), (64.0, 25.0), (51.2, 32.0), (100.0, 1.0)]


def sine(hertz: float, rate_hz: float, seconds: float = 100.0) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate_hz)) / rate_hz + 0.3)[:, None]


@pytest.mark.parametrize(("rate", "new"), RATES)
@pytest.mark.parametrize("above", [1.0, 1.1, 1.7])
def test_a_sine_above_the_new_nyquist_is_gone(rate, new, above):
    found = Downsampler(rate, new)(sine(above * new / 2, rate))
    inner = found[len(found) // 4 : -len(found) // 4]
    assert np.abs(inner).max() < 10 ** (-40 / 20)


@pytest.mark.parametrize(("rate", "new"), RATES)
@pytest.mark.parametrize("below", [0.05, 0.4, 0.8])
def test_a_sine_below_keeps_amplitude_and_phase(rate, new, below):
    hertz = below * new / 2
    lower = Downsampler(rate, new)
    found = lower(sine(hertz, rate))[:, 0]
    t = lower.positions(int(100 * rate)) / rate
    np.testing.assert_allclose(np.diff(t), 1 / new, rtol=1e-9)
    inner = slice(len(found) // 4, -len(found) // 4)
    wanted = np.sin(2 * np.pi * hertz * t + 0.3)
    assert np.abs(found - wanted)[inner].max() < 3e-3


@pytest.mark.parametrize(("rate", "new"), RATES)
def test_complete_data_is_what_scipy_makes_of_it(rate, new):
    lower = Downsampler(rate, new)
    values = np.random.default_rng(0).normal(5.0, 1.0, (4 * lower.reach, 2))
    up, down = lower.ratio.numerator, lower.ratio.denominator
    before = lower.reach + -lower.reach % down
    odd = np.pad(values, ((before, before), (0, 0)), mode="reflect", reflect_type="odd")
    wanted = resample_poly(odd, up, down, axis=0, window=lower.taps)[before * up // down :]
    found = lower(values)
    np.testing.assert_allclose(found, wanted[: len(found)], rtol=1e-12)
    # Away from the ends no extension is seen.
    plain = resample_poly(values, up, down, axis=0, window=lower.taps)[: len(found)]
    inner = np.abs(lower.positions(len(values)) - 2 * lower.reach) < lower.reach - 1
    np.testing.assert_allclose(found[inner], plain[inner], rtol=1e-12)


@given(st.sampled_from(RATES[:3]), st.integers(0, 2000), st.integers(0, 400), st.integers(0, 99))
def test_runs_lie_on_one_grid_and_know_nothing_of_each_other(rates, at, length, seed):
    lower = Downsampler(*rates)
    values = np.random.default_rng(seed).normal(size=(2000, 1))
    gap = slice(at, at + length)
    values[gap] = np.nan
    found, where = lower(values), lower.positions(2000)
    assert len(found) == len(where)
    assert where[-1] <= 1999
    for first, end in ((0, at), (min(at + length, 2000), 2000)) if length else ((0, 2000),):
        mine = (where >= first) & (where <= end - 1)
        if end - first <= lower.reach:
            assert np.isnan(found[mine]).all()
            continue
        alone = np.full_like(values, np.nan)
        alone[first:end] = values[first:end]
        np.testing.assert_array_equal(found[mine], lower(alone)[mine])
        assert not np.isnan(found[mine]).any()
    hole = (where > at - 1) & (where < at + length) if length else np.zeros(len(where), bool)
    assert np.isnan(found[hole]).all()


def test_a_line_stays_a_line_to_its_ends():
    values = np.linspace(-3, 5, 800)[:, None]
    lower = Downsampler(64.0, 25.0)
    wanted = np.interp(lower.positions(800), np.arange(800), values[:, 0])
    np.testing.assert_allclose(lower(values)[:, 0], wanted, atol=5e-3)


@pytest.mark.parametrize(
    ("rate", "new", "message"),
    [
        (20.0, 25.0, "downsample_hz 25 is above the rate of 20 Hz"),
        (100.0, float("nan"), "is above the rate"),
        (100.0, 33.3333, "no ratio of whole numbers up to 1000"),
        (1e6, 1.0, "no ratio of whole numbers"),
    ],
)
def test_rates_that_do_not_fit_are_refused(rate, new, message):
    with pytest.raises(ConfigError, match=message):
        Downsampler(rate, new)
