from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.signals.runs import true_runs, valid_runs


@given(st.lists(st.booleans(), max_size=30))
def test_runs_cover_what_is_true_and_touch_nowhere(flags):
    runs = true_runs(np.array(flags, bool))
    again = np.zeros(len(flags), bool)
    for first, end in runs:
        assert first < end
        again[first:end] = True
    assert again.tolist() == flags
    assert (runs[1:, 0] > runs[:-1, 1]).all()


def test_channels_that_miss_the_same_come_together():
    values = np.zeros((6, 2))
    values[2] = np.nan
    found = [(group.tolist(), a, b) for group, a, b in valid_runs(values)]
    assert found == [([0, 1], 0, 2), ([0, 1], 3, 6)]
    values[4, 1] = np.nan
    found = [(group.tolist(), a, b) for group, a, b in valid_runs(values)]
    assert found == [([0], 0, 2), ([0], 3, 6), ([1], 0, 2), ([1], 3, 4), ([1], 5, 6)]
    assert list(valid_runs(np.zeros((0, 2)))) == []
