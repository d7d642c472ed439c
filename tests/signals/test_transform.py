from __future__ import annotations

import numpy as np

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.transform import interpolate
from maestro_ts.signals.windows import Windows


def interpolated(x: list[float], rate_hz: float = 4.0) -> list[float]:
    """One window at 1 Hz, interpolated."""
    windows = interpolate(Windows.from_arrays(np.array([x])), rate_hz)
    return windows.samples["x"].window(0)[0][:, 0].tolist()


def test_samples_lie_on_the_line_at_half_steps_and_end_values_are_held():
    assert interpolated([0, 8, 0]) == [1, 3, 5, 7, 7, 5, 3, 1, 0, 0, 0, 0]


def test_times_and_rate_are_the_new_ones():
    windows = interpolate(Windows.from_arrays(np.zeros((2, 3))), 2.0)
    assert windows.samples["x"].rate_hz == 2.0
    assert windows.samples["x"].window(1)[1].tolist() == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]


def test_one_missing_sample_is_bridged_and_a_long_gap_is_not_filled():
    assert interpolated([0, np.nan, 8, 8], 2.0) == [1, 3, 5, 7, 8, 8, 8, 8]
    gap = interpolated([0, np.nan, np.nan, np.nan, np.nan, np.nan, 12], 2.0)
    assert np.isnan(gap).tolist() == [False] * 2 + [True] * 8 + [False] * 4


def test_nothing_is_held_longer_than_one_step():
    late = interpolated([np.nan, np.nan, np.nan, 5, 5], 2.0)
    assert np.isnan(late).tolist() == [True] * 4 + [False] * 6
    early = interpolated([5, np.nan, np.nan, np.nan, np.nan], 2.0)
    assert np.isnan(early).tolist() == [False] * 2 + [True] * 8


def test_nan_stays_in_its_channel():
    x = np.zeros((1, 4, 2))
    x[0, :, 1] = np.nan
    windows = interpolate(Windows.from_arrays({"a": x}, [Modality("a", 2, 1.0)]), 2.0)
    values = windows.samples["a"].values
    assert (values[:, 0] == 0).all()
    assert np.isnan(values[:, 1]).all()


def test_only_regular_slower_streams_change(mixed_windows):
    windows = mixed_windows()
    after = interpolate(windows, 32.0)
    for name in ("acc", "age", "ecg", "steps"):
        assert after.samples[name] is windows.samples[name]
    assert after.samples["eda"].lengths.max() == 256
    assert windows.samples["eda"].lengths.max() == 32


def test_what_is_absent_stays_absent(mixed_windows):
    windows = mixed_windows()
    none = windows.select(["acc"]).with_schema(windows.schema)
    for before in (windows, none):
        np.testing.assert_array_equal(interpolate(before, 64.0).present, before.present)


def test_a_window_is_interpolated_by_itself(mixed_windows):
    windows = mixed_windows()
    together, alone = interpolate(windows, 16.0), interpolate(windows[[5]], 16.0)
    np.testing.assert_array_equal(
        alone.samples["eda"].window(0)[0], together.samples["eda"].window(5)[0]
    )
