from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.conditioning import Conditioning
from maestro_ts.signals.downsample import Downsampler
from maestro_ts.signals.filters import Filter
from maestro_ts.signals.recording import Stream

RATE_HZ = 100.0
BOTH = Conditioning(Filter(0.5, 20.0), 50.0)


def noise(n: int = 1000) -> np.ndarray:
    return np.random.default_rng(0).normal(1.0, 1.0, (n, 2)).astype(np.float32)


def test_a_filter_comes_first_and_the_rate_after_it():
    found, lost = BOTH(Stream(noise(), RATE_HZ, start_s=2.0))
    filtered = Filter(0.5, 20.0)(noise(), RATE_HZ)
    np.testing.assert_array_equal(
        found.values, Downsampler(RATE_HZ, 50.0)(filtered).astype(np.float32)
    )
    assert (found.rate_hz, found.start_s, found.times, lost) == (50.0, 2.0, None, 0)
    assert found.values.dtype == np.float32


def test_nothing_asked_is_nothing_done():
    stream = Stream(noise(), times=np.arange(1000.0) ** 1.1)
    assert not Conditioning()
    assert Conditioning()(stream) == (stream, 0)
    same, _ = Conditioning(None, RATE_HZ)(Stream(noise(), RATE_HZ))
    np.testing.assert_array_equal(same.values, noise())


def test_times_of_its_own_are_kept_and_gaps_of_time_part_the_runs():
    times = np.arange(1000) / RATE_HZ + np.random.default_rng(1).uniform(0, 1e-3, 1000)
    times[400:] += 7.0
    found, lost = BOTH(Stream(noise(), RATE_HZ, times))
    assert lost == 0
    parts = [BOTH(Stream(noise()[rows], RATE_HZ))[0] for rows in (slice(400), slice(400, None))]
    np.testing.assert_array_equal(found.values, np.concatenate([p.values for p in parts]))
    assert found.rate_hz == 50.0
    np.testing.assert_array_equal(found.times, np.concatenate([times[:400:2], times[400::2]]))


def test_what_was_lost_is_counted():
    values = noise()
    values[[100, 110]] = np.nan
    found, lost = Conditioning(Filter(0.5, 20.0))(Stream(values, RATE_HZ))
    assert lost == 9 * 2
    assert np.isnan(found.values).all(axis=1).sum() == 11
    reach = Downsampler(RATE_HZ, 50.0).reach
    found, lost = Conditioning(None, 50.0)(Stream(values, RATE_HZ))
    assert reach > 9
    assert 6 * 2 <= lost <= 10 * 2


@pytest.mark.parametrize("kind", ["irregular", "other rate"])
def test_times_that_tell_no_such_rate_are_refused(kind):
    times = np.arange(1000) / (80.0 if kind == "other rate" else RATE_HZ)
    if kind == "irregular":
        times = np.sort(np.random.default_rng(0).uniform(0, 10, 1000))
    with pytest.raises(DataError, match=r"can be neither filtered nor downsampled\. Correct rate"):
        BOTH(Stream(noise(), 50.0 if kind == "other rate" else RATE_HZ, times))


def test_an_irregular_modality_is_refused():
    with pytest.raises(ConfigError, match="an irregular modality can be neither"):
        BOTH(Stream(noise(), times=np.arange(1000.0)))
    BOTH.check_rate(100.0)
    with pytest.raises(ConfigError, match="cut-off of 20 Hz is not below half the rate of 40 Hz"):
        BOTH.check_rate(40.0)
    with pytest.raises(ConfigError, match="downsample_hz 50 is above the rate of 45 Hz"):
        BOTH.check_rate(45.0)
