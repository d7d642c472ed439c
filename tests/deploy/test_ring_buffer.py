"""The buffer is the sorted list of what was pushed, less what is old."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.deploy.ring_buffer import RingBuffer


def numbered(times: np.ndarray) -> np.ndarray:
    return times[:, None].astype(np.float32) * [1, -1]


@given(
    st.lists(st.lists(st.integers(0, 400), max_size=40), max_size=30),
    st.integers(0, 400),
    st.randoms(use_true_random=False),
)
def test_pushes_in_any_order_give_the_sorted_samples(pushes, released, random):
    buffer = RingBuffer(2, capacity=10**6)
    for times in pushes:
        stamps = np.array(times, dtype=np.float64)
        assert buffer.insert(stamps, numbered(stamps)) == 0
    expected = np.sort(np.array([t for push in pushes for t in push], dtype=np.float64))
    assert buffer.times.tolist() == expected.tolist()
    assert np.array_equal(buffer.values, numbered(expected))
    rows = buffer.between(100, 200)
    assert buffer.times[rows].tolist() == [t for t in expected if 100 <= t < 200]
    buffer.release(released)
    assert buffer.times.tolist() == [t for t in expected if t >= released]


def test_of_equal_times_the_earlier_pushed_is_first():
    buffer = RingBuffer(1, capacity=100)
    buffer.insert(np.array([2.0, 3.0]), np.array([[1], [2]], np.float32))
    buffer.insert(np.array([2.0, 1.0, 2.0]), np.array([[3], [4], [5]], np.float32))
    assert buffer.values.ravel().tolist() == [4, 1, 3, 5, 2]


def test_a_full_buffer_overwrites_the_oldest_and_says_how_many():
    buffer = RingBuffer(1, capacity=100)
    times = np.arange(130.0)
    assert buffer.insert(times[:90], times[:90, None].astype(np.float32)) == 0
    assert buffer.insert(times[90:], times[90:, None].astype(np.float32)) == 30
    assert buffer.times.tolist() == times[30:].tolist()


def test_memory_stays_flat_while_old_rows_are_released():
    buffer = RingBuffer(3, capacity=10**6)
    sizes = set()
    for step in range(2000):
        times = step + np.arange(100) / 100
        buffer.insert(times, np.repeat(times[:, None], 3, axis=1).astype(np.float32))
        buffer.release(step - 4)
        sizes.add(len(buffer._times))
    assert len(buffer) == 500
    assert max(sizes) <= 2048
