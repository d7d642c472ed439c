from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Samples, Windows
from maestro_ts.symbols.bins import Binned, bin_samples
from reference.slow_symbols import deviation, mean, slow_cells, slow_window

FIELDS = ("count", "mean", "m2", "peak")


def regular(values: np.ndarray, rate_hz: float, origin_s: float = 0.0) -> Samples:
    """One window of a stream with one channel."""
    return Samples(
        values=np.asarray(values, np.float32).reshape(-1, 1),
        starts=np.array([0]),
        lengths=np.array([len(values)]),
        times=None,
        origins_s=np.array([origin_s]),
        rate_hz=rate_hz,
    )


def irregular(values: list[float], times: list[float]) -> Samples:
    return Samples(
        values=np.asarray(values, np.float32).reshape(-1, 1),
        starts=np.array([0]),
        lengths=np.array([len(values)]),
        times=np.asarray(times, float),
        origins_s=np.zeros(1),
        rate_hz=None,
    )


def one(samples: Samples, duration_s: float, bins: int) -> dict[str, list[float]]:
    """Moments of one window and channel as lists over the bins."""
    binned = bin_samples(samples, np.array([duration_s]), bins)
    return {f: getattr(binned, f)[0, :, 0].tolist() for f in FIELDS}


def assert_is_slow(binned: Binned, cells: list[list[float]], i: int, c: int) -> None:
    for k, cell in enumerate(cells):
        at = (i, k, c)
        assert binned.count[at] == len(cell)
        assert binned.peak[at] == max((abs(x) for x in cell), default=0.0)
        if cell:
            np.testing.assert_allclose(binned.mean[at], mean(cell), rtol=1e-12, atol=1e-12)
            m2 = len(cell) * deviation(cell) ** 2
            np.testing.assert_allclose(binned.m2[at], m2, rtol=1e-11, atol=1e-12)
        else:
            assert np.isnan(binned.mean[at])
            assert binned.m2[at] == 0


@pytest.mark.parametrize("bins", [1, 3, 16, 32])
def test_moments_agree_with_the_slow_twin(mixed_windows, bins):
    windows = mixed_windows()
    for m in windows.schema:
        samples = windows.samples[m.name]
        binned = bin_samples(samples, windows.duration_s, bins, static=m.static)
        for i in range(len(windows)):
            for c, cells in enumerate(slow_window(windows, i, m, bins)):
                assert_is_slow(binned, cells, i, c)


@given(
    st.lists(
        st.tuples(
            st.floats(-1, 11, allow_nan=False, width=32),
            st.one_of(st.just(float("nan")), st.floats(-1e3, 1e3, width=32)),
        ),
        max_size=30,
    ),
    st.integers(1, 12),
)
def test_any_irregular_stream_agrees_with_the_slow_twin(samples, bins):
    samples = sorted(samples, key=lambda s: s[0])
    times, values = [t for t, _ in samples], [x for _, x in samples]
    binned = bin_samples(irregular(values, times), np.array([10.0]), bins)
    assert_is_slow(binned, slow_cells(values, times, 10.0, bins), 0, 0)


@pytest.mark.parametrize("duration", ["0.7", "2.56", "8", "15", "30"])
@pytest.mark.parametrize("rate", ["4", "32", "33.3", "64", "700"])
@pytest.mark.parametrize("bins", [7, 16, 32, 128])
def test_every_sample_falls_into_the_bin_of_its_time_in_exact_fractions(rate, duration, bins):
    n = int(Fraction(rate) * Fraction(duration))
    a_sample = bins / Fraction(rate) / Fraction(duration)  # in bins
    exact = [j * a_sample.numerator // a_sample.denominator for j in range(n)]
    found = one(regular(np.arange(n), float(rate)), float(duration), bins)
    assert found["count"] == np.bincount(exact, minlength=bins).tolist()


def test_a_sample_on_a_border_opens_the_next_bin():
    found = one(irregular([1, 2, 3, 4], [0.0, 2.0, 4.0, 6.0]), 8.0, 4)
    assert found["mean"] == [1, 2, 3, 4]


def test_fast_and_slow_streams_agree_at_every_instant():
    def staircase(rate_hz: float, origin_s: float) -> list[float]:
        times = origin_s + np.arange(np.ceil((8 - origin_s) * rate_hz)) / rate_hz
        return one(regular(np.floor(times * 4 + 1e-6), rate_hz, origin_s), 8.0, 32)["mean"]

    steps = list(range(32))
    assert staircase(700.0, 0.0) == steps
    assert staircase(4.0, 0.0) == steps
    assert staircase(4.0, 0.1) == steps
    assert staircase(64.0, 0.01) == steps


def test_equal_times_share_a_bin():
    found = one(irregular([1, 2, 3, 9], [0.5, 0.5, 0.5, 1.0]), 2.0, 2)
    assert found["count"] == [3, 1]
    assert found["mean"] == [2, 9]
    assert found["m2"] == [2, 0]


def test_bins_of_a_gap_are_empty():
    found = one(irregular([1, 5], [0.1, 3.9]), 4.0, 4)
    assert found["count"] == [1, 0, 0, 1]
    assert np.isnan(found["mean"][1:3]).all()


def test_samples_outside_the_window_are_left_out():
    found = one(irregular([7, 1, 2, 7], [-0.1, 0.0, 3.9, 4.0]), 4.0, 2)
    assert found["count"] == [1, 1]
    assert found["peak"] == [1, 2]


def test_no_samples_at_all_are_empty_bins():
    found = one(irregular([], []), 4.0, 3)
    assert found["count"] == [0, 0, 0]


def test_nan_is_not_a_sample_and_stays_in_its_channel():
    x = np.array([[[1.0, 1], [np.nan, 3], [5, np.nan], [7, np.nan]]])
    windows = Windows.from_arrays({"a": x}, [Modality("a", 2, 1.0)])
    binned = bin_samples(windows.samples["a"], windows.duration_s, 2)
    np.testing.assert_array_equal(binned.count[0], [[1, 2], [2, 0]])
    np.testing.assert_array_equal(binned.mean[0], [[1, 2], [6, np.nan]])
    np.testing.assert_array_equal(binned.m2[0], [[0, 2], [2, 0]])


def test_a_static_value_fills_the_first_bin():
    windows = Windows.from_arrays({"age": [[[41.0]]]}, [Modality("age", static=True)], duration_s=8)
    binned = bin_samples(windows.samples["age"], windows.duration_s, 1, static=True)
    assert binned.count.item() == 1
    assert binned.mean.item() == 41


def test_overlapping_windows_count_their_common_samples_twice():
    samples = Samples(
        values=np.arange(6, dtype=np.float32)[:, None],
        starts=np.array([0, 2]),
        lengths=np.array([4, 4]),
        times=None,
        origins_s=np.zeros(2),
        rate_hz=1.0,
    )
    binned = bin_samples(samples, np.array([4.0, 4.0]), 2)
    np.testing.assert_array_equal(binned.mean[..., 0], [[0.5, 2.5], [2.5, 4.5]])


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_moments_of_huge_and_tiny_values_neither_overflow_nor_vanish(scale):
    found = one(regular(np.array([1, 3]) * scale, 1.0), 2.0, 1)
    np.testing.assert_allclose(found["mean"], 2 * scale, rtol=1e-6)
    np.testing.assert_allclose(found["m2"], 2 * scale**2, rtol=1e-6)


def test_hiding_empties_the_named_bins_and_no_other(mixed_windows):
    windows = mixed_windows(losses=False)
    binned = bin_samples(windows.samples["acc"], windows.duration_s, 4)
    hidden = np.zeros((len(windows), 4), dtype=bool)
    hidden[1, 2] = hidden[3, 0] = True
    after = binned.hide(hidden)
    assert (after.count[hidden] == 0).all()
    assert np.isnan(after.mean[hidden]).all()
    assert (after.m2[hidden] == 0).all()
    assert (after.peak[hidden] == 0).all()
    for field in FIELDS:
        kept = getattr(binned, field)[~hidden]
        np.testing.assert_array_equal(getattr(after, field)[~hidden], kept)
    assert binned.count.min() > 0  # the original is unchanged


def test_taking_rows_selects_windows(mixed_windows):
    windows = mixed_windows()
    binned = bin_samples(windows.samples["ecg"], windows.duration_s, 8)
    again = bin_samples(windows[[5, 1]].samples["ecg"], windows.duration_s[:2], 8)
    for field in FIELDS:
        np.testing.assert_array_equal(
            getattr(binned.take(np.array([5, 1])), field), getattr(again, field)
        )
