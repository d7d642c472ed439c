from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from maestro_ts.signals.distrust import distrust_scale, distrusted
from maestro_ts.signals.inspect.units import scale_change
from maestro_ts.signals.recording import Interval, Recording, Stream

RATE_HZ = 20.0
STEP_G = 1 / 256


def worn(n: int = 600, seed: int = 0) -> NDArray[np.float64]:
    """An accelerometer in g on the grid of its 8 bits, shape (n, 3)."""
    values = np.random.default_rng(seed).normal([0.2, 0.9, 0.1], 0.1, (n, 3))
    return np.round(values / STEP_G) * STEP_G


def recording(values: NDArray, **more: Stream) -> Recording:
    streams = {"acc": Stream(values.astype(np.float32), RATE_HZ)} | more
    labels = (Interval(0.0, 30.0, "a"),)
    return Recording(streams, "s", "r", labels, notes=("said before",))


@given(st.integers(20, 580), st.integers(0, 99))
def test_the_shorter_stretch_becomes_missing_and_nothing_is_rescaled(at, seed):
    values = worn(seed=seed)
    values[:at] /= 4
    before = recording(values)
    after = distrust_scale(before)
    lost = np.isnan(after.streams["acc"].values)
    assert (lost.all(axis=1) == lost.any(axis=1)).all()
    found = scale_change(before.streams["acc"].values)
    wanted = np.zeros(600, bool)
    if found is not None:
        assert abs(found[0] - at) <= 3
        wanted[slice(None, found[0]) if found[0] <= 300 else slice(found[0], None)] = True
    assert (lost[:, 0] == wanted).all()
    np.testing.assert_array_equal(
        after.streams["acc"].values[~wanted], before.streams["acc"].values[~wanted]
    )
    assert (after.labels, after.duration_s) == (before.labels, before.duration_s)


def test_what_was_lost_is_said_and_can_be_counted():
    values = worn()
    values[:100] /= 4
    after = distrust_scale(recording(values))
    assert np.isnan(after.streams["acc"].values).any(axis=1).sum() == 100
    assert after.notes == (
        "said before",
        "acc: 5 s of 30 s are on another scale (4 times): missing.",
    )
    late = worn(seed=1)
    late[500:] /= 4
    both = [after, distrust_scale(recording(late)), distrust_scale(recording(worn(seed=2)))]
    assert distrusted(both) == (
        "scale distrusted: 2 streams, 10 of their 60 s (16.7%) taken as missing"
    )


@pytest.mark.parametrize("length", [0, 1, 600])
def test_sound_streams_are_left_alone(length):
    before = recording(worn(length), age=Stream.constant([50.0]))
    after = distrust_scale(before)
    assert after.notes == before.notes
    for name, stream in before.streams.items():
        assert after.streams[name] is stream
    assert distrusted([after]) == ""


def test_times_of_its_own_are_kept():
    values = worn()
    values[:100] /= 4
    times = np.arange(600) / RATE_HZ + 2.0
    stream = Stream(values.astype(np.float32), times=times)
    after = distrust_scale(Recording({"acc": stream}, "s", "r"))
    np.testing.assert_array_equal(after.streams["acc"].times, times)
    assert "acc: 5 s of 30 s" in after.notes[0]
