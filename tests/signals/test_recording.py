from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import DataError
from maestro_ts.signals.recording import Recording, Stream


def test_infinities_are_refused_with_position_and_number():
    values = np.zeros((5, 2))
    values[3, 1] = np.inf
    values[4, 0] = -np.inf
    with pytest.raises(DataError, match=r"\(3, 1\) \(2 in all\).*NaN"):
        Stream(values, 4.0)


def test_nan_is_legal():
    assert np.isnan(Stream(np.array([1.0, np.nan]), 4.0).values[1, 0])


def test_times_that_decrease_are_refused_with_position():
    with pytest.raises(DataError, match=r"sample 2: 5 s, then 4\.5 s"):
        Stream(np.zeros(4), times=[1, 5, 4.5, 6])


def test_equal_times_are_legal():
    stream = Stream(np.zeros(4), times=[1, 5, 5, 5])
    assert stream.sample_times().tolist() == [1, 5, 5, 5]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_times_are_finite(bad):
    with pytest.raises(DataError, match="at sample 1 is not finite"):
        Stream(np.zeros(3), times=[0, bad, 2])


def test_as_many_times_as_samples():
    with pytest.raises(DataError, match="3 samples but"):
        Stream(np.zeros(3), times=[0.0, 1.0])


def test_a_stream_needs_a_rate_or_times():
    with pytest.raises(DataError, match="rate_hz or times"):
        Stream(np.zeros(3))


def test_a_stream_has_two_axes_one_channel_if_one():
    assert Stream(np.zeros(3), 1.0).values.shape == (3, 1)
    with pytest.raises(DataError, match=r"\(T, C\), got \(2, 2, 2\)"):
        Stream(np.zeros((2, 2, 2)), 1.0)


def test_regular_samples_sit_at_start_plus_multiples_of_the_step():
    stream = Stream(np.zeros(3), 4.0, start_s=1.5)
    assert stream.sample_times().tolist() == [1.5, 1.75, 2.0]
    assert stream.end_s == 2.25


def test_times_decide_when_a_nominal_rate_is_given_too():
    stream = Stream(np.zeros(3), 4.0, times=[0.0, 0.3, 0.5])
    assert stream.sample_times().tolist() == [0.0, 0.3, 0.5]
    assert stream.end_s == 0.75


def test_an_irregular_stream_ends_a_usual_step_after_its_last_sample():
    assert Stream(np.zeros(5), times=[0, 1, 1, 2, 9]).end_s == 10
    assert Stream(np.zeros(1), times=[3]).end_s == 3
    assert Stream(np.zeros(0), times=[]).end_s == 0


def test_a_recording_lasts_until_its_last_stream_ends():
    streams = {"a": Stream(np.zeros(8), 4.0), "b": Stream(np.zeros(8), 2.0, start_s=1.0)}
    assert Recording(streams, "s1", "file").duration_s == 5
    assert Recording(streams, "s1", "file", duration_s=3.0).duration_s == 3
    assert Recording({}, "s1", "file").duration_s == 0


def test_an_unknown_clock_is_refused():
    with pytest.raises(DataError, match=r"clock must be one of.*'sundial'"):
        Recording({}, "s1", "file", clock="sundial")
