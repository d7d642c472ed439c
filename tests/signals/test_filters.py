from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from maestro_ts.errors import ConfigError
from maestro_ts.signals.filters import Filter, shortest

RATE_HZ = 50.0


def noise(n: int = 400, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(1.0, 1.0, (n, channels))


@pytest.mark.parametrize(
    ("passed", "kind", "edges"),
    [
        (Filter(0.5, 20.0, 4), "bandpass", [0.5, 20.0]),
        (Filter(0.5, None, 2), "highpass", 0.5),
        (Filter(None, 20.0, 3), "lowpass", 20.0),
    ],
)
def test_complete_data_is_what_scipy_makes_of_it(passed, kind, edges):
    sections = butter(passed.order, edges, kind, output="sos", fs=RATE_HZ)
    wanted = sosfiltfilt(sections, noise(), axis=0)
    np.testing.assert_array_equal(passed(noise(), RATE_HZ), wanted)


def test_every_run_is_filtered_by_itself_and_gaps_stay_gaps():
    passed, values = Filter(0.5, 20.0), noise()
    values[100:110] = np.nan
    values[200:230, 1] = np.nan
    found = passed(values, RATE_HZ)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    np.testing.assert_array_equal(found[:100], passed(values[:100], RATE_HZ))
    np.testing.assert_array_equal(found[230:, 1], passed(values[230:, 1:2], RATE_HZ)[:, 0])
    np.testing.assert_array_equal(found[110:, 0], passed(values[110:, :1], RATE_HZ)[:, 0])


@pytest.mark.parametrize(("passed", "least"), [(Filter(0.5, 20.0), 27), (Filter(None, 20.0), 15)])
def test_a_run_that_is_too_short_becomes_missing(passed, least):
    assert shortest(passed.sections(RATE_HZ)) == least
    values = noise(200, 1)
    values[[50, 50 + least + 1]] = np.nan  # as many as the extension between them
    values[[100, 100 + least + 2]] = np.nan
    found = passed(values, RATE_HZ)
    assert np.isnan(found[50 : 52 + least]).all()
    assert not np.isnan(found[101 : 102 + least]).any()
    assert passed(values[:0], RATE_HZ).shape == (0, 1)


def test_nothing_is_delayed():
    """A hump stays where it is; its mirror image is filtered to the mirror image."""
    t = np.arange(400) / RATE_HZ
    hump = np.exp(-((t - 4.0) ** 2) / 0.02)[:, None]
    found = Filter(None, 5.0)(hump, RATE_HZ)
    assert abs(int(found.argmax()) - 200) == 0
    np.testing.assert_allclose(Filter(None, 5.0)(hump[::-1], RATE_HZ)[::-1], found, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((), "needs high_pass_hz or low_pass_hz"),
        ((-1.0,), "high_pass_hz must be positive and finite, got -1"),
        ((None, float("inf")), "low_pass_hz must be positive"),
        ((2.0, 1.0), "high_pass_hz 2 is not below low_pass_hz 1"),
        ((1.0, None, 0), r"order must lie in \[1, 10\], got 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Filter(*settings)


def test_a_cut_off_beyond_half_the_rate_is_refused():
    with pytest.raises(ConfigError, match="a cut-off of 25 Hz is not below half the rate of 50 Hz"):
        Filter(1.0, 25.0)(noise(), RATE_HZ)
