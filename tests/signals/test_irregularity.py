"""Properties of times that are off: nothing is invented, nothing leaves its window, draws stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from faulty_windows import DURATION_S, faulty_windows, same_samples
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError
from maestro_ts.signals.irregularity import jittered, skewed, slower
from maestro_ts.signals.windows import Windows

Spoil = Callable[[Windows, float], Windows]
KINDS: dict[str, Spoil] = {"jitter": jittered, "skew": skewed, "slower": slower}
SIGNALS = ("acc", "events", "pulse")
kinds = pytest.mark.parametrize("spoil", KINDS.values(), ids=list(KINDS))
shares = st.floats(0.01, 0.6)


@kinds
@settings(max_examples=15, deadline=None)
@given(share=shares)
def test_samples_are_those_of_their_window_in_order_of_time(spoil: Spoil, share: float) -> None:
    windows = faulty_windows()
    spoilt = spoil(windows, share)
    for name in SIGNALS:
        for i in range(len(windows)):
            old, _ = windows.samples[name].window(i)
            new, at = spoilt.samples[name].window(i)
            assert (np.diff(at) >= 0).all()
            assert ((at > -1e-6) & (at < DURATION_S)).all()
            rows = [row.tobytes() for row in old]
            assert all(row.tobytes() in rows for row in new)
            assert len(new) <= len(old)
    assert same_samples(windows, spoilt, "age")


@kinds
@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.integers(0, 11), min_size=1, max_size=12), share=shares)
def test_draws_are_of_each_window_alone(spoil: Spoil, rows: list[int], share: float) -> None:
    windows = faulty_windows()
    whole, part = spoil(windows, share), spoil(windows[rows], share)
    for name in windows.schema.names:
        assert same_samples(whole[rows], part, name)


@pytest.mark.parametrize(("spoil", "nothing"), [(jittered, 0.0), (skewed, 0.0), (slower, 1.0)])
def test_without_an_error_all_samples_stay(spoil: Spoil, nothing: float) -> None:
    windows = faulty_windows()
    spoilt = spoil(windows, nothing)
    assert all(same_samples(windows, spoilt, name) for name in windows.schema.names)
    assert (spoilt.present == windows.present).all()


def test_jitter_has_its_size_and_grows_in_proportion() -> None:
    arrays = np.arange(4000.0).reshape(1, 4000, 1)  # a value tells which sample it was
    windows = Windows.from_arrays(arrays, duration_s=4000.0)
    _, true_s, _ = windows.samples["x"].flat()

    def errors_s(share: float) -> dict[float, float]:
        values, at, _ = jittered(windows, share).samples["x"].flat()
        off = at - true_s[values[:, 0].astype(int)]
        return dict(zip(values[:, 0].tolist(), off.tolist(), strict=True))

    small, large = errors_s(0.001), errors_s(0.002)
    assert np.std(list(small.values())) == pytest.approx(0.001 * 4000.0, rel=0.1)
    both = sorted(small.keys() & large.keys())
    assert [large[k] for k in both] == pytest.approx([2 * small[k] for k in both], abs=1e-9)


def test_a_device_has_one_clock() -> None:
    windows = faulty_windows(40)
    spoilt = skewed(windows, 0.1)

    def shift_s(name: str) -> np.ndarray:
        found = []
        for i in range(len(windows)):
            (old, was), (new, at) = (w.samples[name].window(i) for w in (windows, spoilt))
            rows = [row.tobytes() for row in old]
            known = [j for j, row in enumerate(new) if not np.isnan(row).any()]
            gaps = [at[j] - was[rows.index(new[j].tobytes())] for j in known]
            assert np.ptp(gaps) < 1e-9 if gaps else name == "acc"
            found.append(gaps[0] if gaps else np.nan)
        return np.array(found)

    acc, pulse, events = map(shift_s, ("acc", "pulse", "events"))
    assert acc == pytest.approx(np.where(np.isnan(acc), np.nan, pulse), nan_ok=True)
    assert not np.allclose(pulse, events)
    assert np.abs(pulse).max() <= 0.1 * DURATION_S
    assert np.ptp(pulse) > 0.1 * DURATION_S


@given(share=st.floats(0.05, 1.0))
@settings(max_examples=20, deadline=None)
def test_a_slower_sensor_has_its_share_of_samples_evenly(share: float) -> None:
    windows = faulty_windows()
    found = slower(windows, share)
    for name in SIGNALS:
        lengths = windows.samples[name].lengths
        assert np.abs(found.samples[name].lengths - share * lengths).max() <= 1
    _, at = found.samples["acc"].window(0)
    assert np.ptp(np.diff(at)) <= 1 / 16 + 1e-9 if len(at) > 1 else True


@pytest.mark.parametrize(
    ("spoil", "share"), [(jittered, -0.1), (skewed, 1.5), (slower, 0.0), (slower, 1.1)]
)
def test_a_share_that_is_none_is_refused(spoil: Spoil, share: float) -> None:
    with pytest.raises(ConfigError, match="share of"):
        spoil(faulty_windows(2), share)
