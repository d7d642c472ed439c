from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.bins import bin_samples
from maestro_ts.symbols.signs import SIGNS, signs
from reference.slow_monitor import slow_signs
from reference.slow_symbols import slow_window

ACC = Modality("acc", channels=2, rate_hz=16)
FLOOR = np.array([0.01, 0.02])
STUCK, SATURATED = SIGNS.index("stuck"), SIGNS.index("saturated")


def of(values: np.ndarray, modality: Modality = ACC, bins: int = 8) -> np.ndarray:
    """Signs of windows of 2 s, (n, T, 2)."""
    windows = Windows.from_arrays({modality.name: values}, [modality], duration_s=2.0)
    binned = bin_samples(windows.samples[modality.name], windows.duration_s, bins)
    return signs(binned, FLOOR[: modality.channels])


def test_signs_agree_with_the_slow_twin():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 32, 2)).astype(np.float32)
    values[1] = 3.25
    values[2, 10:] = values[2, 9]
    values[3] = np.clip(values[3], -0.6, 0.5)
    values[4] = np.round(values[4])
    values[5, :, 0] = np.nan
    values[6, rng.random(32) < 0.6] = np.nan
    values[7, :20] = np.nan
    values[8, 4:] = np.nan
    windows = Windows.from_arrays({"acc": values}, [ACC], duration_s=2.0)
    for bins in (8, 32):
        expected = [
            [slow_signs(cells, FLOOR[c]) for c, cells in enumerate(channels)]
            for channels in (slow_window(windows, i, ACC, bins) for i in range(len(windows)))
        ]
        np.testing.assert_allclose(of(values, bins=bins), expected, rtol=1e-9, atol=1e-12)


@given(
    level=st.floats(-1e6, 1e6, width=32),
    bins=st.sampled_from([2, 7, 32]),
    lost=st.sets(st.integers(0, 31), max_size=12),
)
def test_a_constant_sensor_is_wholly_stuck_and_not_saturated(level, bins, lost):
    values = np.full((1, 32, 2), level, dtype=np.float32)
    values[:, sorted(lost)] = np.nan
    found = of(values, bins=bins)[0]
    assert np.all((found[:, STUCK] == 1) | np.isnan(found[:, STUCK]))
    assert np.all((found[:, SATURATED] == 0) | np.isnan(found[:, SATURATED]))
    if not lost:
        assert np.all(found[:, STUCK] == 1)


def test_what_rests_on_its_limit_is_saturated():
    rng = np.random.default_rng(0)
    sine = np.sin(np.linspace(0, 12, 32))[None, :, None] * np.ones((1, 1, 2))
    free = of(sine + 0.01 * rng.normal(size=(1, 32, 2)))[0, :, SATURATED]
    clipped = of(np.clip(sine, -0.4, 0.4))[0, :, SATURATED]
    assert np.all(free == 0)
    assert np.all(clipped > 0.5)
