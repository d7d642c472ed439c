from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.masks import (
    MODES,
    Mask,
    all_patterns,
    device_mask,
    hide,
    mask_of,
    modality_mask,
    part_mask,
    pattern_mask,
    point_mask,
    realised_rate,
    segment_mask,
)
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.windows import Windows

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.8, 1.0)
DEVICES = {"a": "wrist", "b": "wrist", "c": "chest", "d": "chest", "e": "phone"}


def small_windows(present: np.ndarray) -> Windows:
    """Windows of five modalities on three devices, two samples each, NaN where absent."""
    modalities = [Modality(n, 1, 1.0, device=d) for n, d in DEVICES.items()]
    x = {m.name: np.where(present[:, [i]], 1.0, np.nan) for i, m in enumerate(modalities)}
    return Windows.from_arrays({k: np.repeat(v, 2, axis=1) for k, v in x.items()}, modalities)


def all_there(n: int) -> Windows:
    return small_windows(np.ones((n, 5), dtype=bool))


def some_absent(n: int, seed: int = 0) -> Windows:
    return small_windows(np.random.default_rng(seed).random((n, 5)) < 0.7)


def valid(windows: Windows) -> dict[str, list[np.ndarray]]:
    """Which samples are valid, per modality and window."""
    return {
        name: [~np.isnan(piece.window(i)[0][:, 0]) for i in range(len(windows))]
        for name, piece in windows.samples.items()
    }


def surviving(windows: Windows, after: Windows) -> dict[str, list[np.ndarray]]:
    """Which samples are still valid; a modality hidden as a whole has none."""
    before, now = valid(windows), valid(after)
    return {
        name: [
            y if len(y) else np.zeros_like(x) for x, y in zip(before[name], now[name], strict=True)
        ]
        for name in before
    }


# --- rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_the_count_of_lost_modalities_is_the_floor_or_one_more_and_one_stays(rate):
    windows = some_absent(300)
    there = windows.present.sum(axis=1)
    after = hide(windows, modality_mask(windows, rate))
    lost = there - after.present.sum(axis=1)
    floor = np.floor(rate * there + 1e-9)
    assert ((lost == floor) | (lost == floor + 1) | (lost == there - 1) | (there == 0)).all()
    assert (lost <= np.maximum(there - 1, 0)).all()
    exact = np.abs(rate * there - np.round(rate * there)) < 1e-9
    expected = np.minimum(np.round(rate * there), np.maximum(there - 1, 0))
    assert (lost[exact] == expected[exact]).all()


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7])
def test_the_realised_rate_is_the_nominal_one_on_average(rate):
    n = 2000
    windows = all_there(n)
    after = hide(windows, modality_mask(windows, rate))
    part = 5 * rate - np.floor(5 * rate)
    tolerance = 4 * np.sqrt(part * (1 - part) / n) / 5
    assert abs(realised_rate(windows, after) - rate) <= tolerance
    # Which ones are lost is not preferred either.
    shares = 1 - after.present.mean(axis=0)
    assert np.abs(shares - rate).max() < 4 * np.sqrt(0.25 / n)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_the_realised_rate_of_devices_is_the_nominal_one_on_average(rate):
    n = 2000
    windows = all_there(n)
    lost = ~device_mask(windows, rate).keep[:, [0, 2, 4]]
    assert abs(lost.mean() - rate) <= 4 * np.sqrt(0.25 / n) / 3
    assert set(lost.sum(axis=1).tolist()) == {int(3 * rate), int(3 * rate) + 1}


@pytest.mark.parametrize("rate", RATES)
def test_a_device_fails_as_a_whole_and_one_stays(rate):
    windows = some_absent(200)
    mask = device_mask(windows, rate)
    assert (mask.keep[:, 0] == mask.keep[:, 1]).all()
    assert (mask.keep[:, 2] == mask.keep[:, 3]).all()
    after = hide(windows, mask)
    np.testing.assert_array_equal(after.present.any(axis=1), windows.present.any(axis=1))


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_at_rate_zero(mixed_windows, mode):
    windows = mixed_windows()
    after = hide(windows, mask_of(mode)(windows, 0.0, 0))
    before, now = valid(windows), valid(after)
    for name in before:
        for x, y in zip(before[name], now[name], strict=True):
            np.testing.assert_array_equal(x, y)
    assert realised_rate(windows, after) == 0


@pytest.mark.parametrize("mode", ["segment", "points"])
def test_every_sample_is_lost_at_rate_one(mixed_windows, mode):
    windows = mixed_windows(losses=False).select(["acc", "ecg", "eda", "steps"])
    after = hide(windows, mask_of(mode)(windows, 1.0, 0))
    assert not after.present.any()
    assert realised_rate(windows, after) == 1


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_a_lost_segment_is_one_piece_of_the_share_asked_for(rate):
    windows = Windows.from_arrays(np.ones((200, 400)))
    for there in valid(hide(windows, segment_mask(windows, rate)))["x"]:
        lost = np.flatnonzero(~there)
        assert abs(len(lost) - rate * 400) <= 1
        assert lost[-1] - lost[0] == len(lost) - 1


def test_places_of_segments_are_spread_over_the_window():
    windows = Windows.from_arrays(np.ones((500, 4)))
    begins = segment_mask(windows, 0.5).segments[:, 0, 0]
    counts = np.histogram(begins, bins=5, range=(0, 0.5))[0]
    assert counts.sum() == 500
    assert (np.abs(counts - 100) < 4 * np.sqrt(80)).all()


def test_segments_of_a_device_lie_at_the_same_time():
    segments = segment_mask(all_there(20), 0.4).segments
    np.testing.assert_array_equal(segments[:, 0], segments[:, 1])
    np.testing.assert_array_equal(segments[:, 2], segments[:, 3])
    assert (segments[:, 0] != segments[:, 2]).all()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_single_samples_are_lost_at_the_rate_asked_for(rate):
    windows = Windows.from_arrays(np.ones((40, 500)))
    there = np.concatenate(valid(hide(windows, point_mask(windows, rate)))["x"])
    assert abs((~there).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(there))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_zero_to_one_is_refused(mode, rate):
    with pytest.raises(ConfigError, match=r"rate lies in \[0, 1\]"):
        mask_of(mode)(all_there(2), rate, 0)


# --- what masks depend on ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_what_is_lost_at_a_rate_is_lost_at_every_higher_one(mixed_windows, mode):
    windows = mixed_windows(12, seed=3)
    before = valid(windows)
    for rate in RATES:
        after = surviving(windows, hide(windows, mask_of(mode)(windows, rate, 0)))
        for name in before:
            for more, less in zip(before[name], after[name], strict=True):
                assert (more | ~less).all()
        before = after


@pytest.mark.parametrize("function", [modality_mask, device_mask])
def test_kept_modalities_shrink_with_the_rate(function: Callable[..., Mask]):
    windows = some_absent(200)
    kept = [function(windows, rate).keep & windows.present for rate in RATES]
    for more, less in pairwise(kept):
        assert (more | ~less).all()
    assert kept[-1].sum() < kept[0].sum()


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_does_not_depend_on_order_or_subset_of_windows(mixed_windows, mode):
    windows = mixed_windows(8)
    rows = np.array([6, 1, 4])
    whole = mask_of(mode)(windows, 0.5, 7)
    part = mask_of(mode)(windows[rows], 0.5, 7)
    np.testing.assert_array_equal(part.keep, whole[rows].keep)
    np.testing.assert_array_equal(part.segments, whole[rows].segments)
    hidden, alone = hide(windows, whole)[rows], hide(windows[rows], part)
    for name in windows.schema.names:
        for i in range(3):
            for x, y in zip(
                hidden.samples[name].window(i), alone.samples[name].window(i), strict=True
            ):
                np.testing.assert_allclose(x, y, atol=1e-12)
    np.testing.assert_array_equal(hidden.present, alone.present)


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_gives_the_same_mask_again_and_another_seed_another(mixed_windows, mode):
    windows = mixed_windows(8, losses=False)
    same, again, other = (
        valid(hide(windows, mask_of(mode)(windows, 0.5, seed))) for seed in (1, 1, 2)
    )

    def equal(a: dict[str, list[np.ndarray]], b: dict[str, list[np.ndarray]]) -> bool:
        return all(np.array_equal(x, y) for n in a for x, y in zip(a[n], b[n], strict=True))

    assert equal(same, again)
    assert not equal(same, other)


# --- hiding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_hiding_leaves_its_input_unchanged(mixed_windows, mode):
    windows, copy = mixed_windows(), mixed_windows()
    hide(windows, mask_of(mode)(windows, 0.7, 0))
    np.testing.assert_array_equal(windows.present, copy.present)
    for name, piece in windows.samples.items():
        np.testing.assert_array_equal(piece.values, copy.samples[name].values)
        np.testing.assert_array_equal(piece.lengths, copy.samples[name].lengths)


def test_hiding_modalities_copies_no_samples(mixed_windows):
    windows = mixed_windows()
    after = hide(windows, modality_mask(windows, 0.5))
    for name, piece in after.samples.items():
        assert piece.values is windows.samples[name].values


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rate", [0.2, 0.8])
def test_natural_absence_is_kept(mixed_windows, mode, rate):
    windows = mixed_windows()
    assert not windows.present.all()
    before = valid(windows)
    after = hide(windows, mask_of(mode)(windows, rate, 0))
    assert not (after.present & ~windows.present).any()
    for name, there in surviving(windows, after).items():
        for x, y in zip(before[name], there, strict=True):
            assert (x | ~y).all()


def test_a_window_without_anything_stays_without_anything():
    windows = small_windows(np.zeros((3, 5), dtype=bool))
    for mode in MODES:
        after = hide(windows, mask_of(mode)(windows, 0.5, 0))
        assert not after.present.any()
        assert realised_rate(windows, after) == 0


def test_values_and_times_that_stay_are_the_old_ones(mixed_windows):
    windows = mixed_windows()
    mask = segment_mask(windows, 0.4)
    after = hide(windows, mask)
    for m, modality in enumerate(windows.schema):
        for i in range(len(windows)):
            x, t = windows.samples[modality.name].window(i)
            y, u = after.samples[modality.name].window(i)
            np.testing.assert_allclose(u, t, atol=1e-12)
            low, high = mask.segments[i, m]
            lost = (t / 8 >= low) & (t / 8 < high) & (not modality.static)
            np.testing.assert_array_equal(y, np.where(lost[:, None], np.nan, x))


def test_a_static_value_is_lost_as_a_whole_only():
    windows = Windows.from_arrays(
        {"age": np.ones((5, 1)), "x": np.ones((5, 8))},
        [Modality("age", static=True), Modality("x", 1, 1.0)],
    )
    assert hide(windows, segment_mask(windows, 1.0)).present.tolist() == [[True, False]] * 5
    assert hide(windows, pattern_mask(windows, ["x"])).present.tolist() == [[False, True]] * 5


def test_hiding_in_one_window_leaves_the_overlapping_one_alone():
    stream = Stream(np.arange(24), 4.0)
    schema = Schema([Modality("a", 1, 4.0)])
    windows = cut([Recording({"a": stream}, "s", "r")], schema, WindowSpec(4.0, 1.0))
    mask = Mask.nothing(3, 1)
    mask.segments[1] = (0.0, 0.5)
    after = hide(windows, mask)
    lost = [np.flatnonzero(~x).tolist() for x in valid(after)["a"]]
    assert lost == [[], list(range(8)), []]
    assert after.samples["a"].window(2)[0][:, 0].tolist() == list(range(8, 24))


@pytest.mark.parametrize("start_s", [0.0, 0.1, 1000.3, 86_400.7, 1e6 + 0.3])
@pytest.mark.parametrize("rate_hz", [4.0, 10.0, 33.3, 700.0])
@pytest.mark.parametrize("timed", [False, True])
def test_rounding_moves_no_sample_over_the_border_of_a_segment(start_s, rate_hz, timed):
    fifth = round(8 * rate_hz / 5)
    n, duration_s = 5 * fifth, 5 * fifth / rate_hz
    times = start_s + np.arange(n) / rate_hz if timed else None
    stream = Stream(np.zeros(n), rate_hz, times, start_s)
    label = Interval(start_s, start_s + duration_s, "x")
    schema = Schema([Modality("a", 1, rate_hz)])
    windows = cut([Recording({"a": stream}, "s", "r", (label,))], schema, WindowSpec(duration_s))
    for k in range(5):
        mask = Mask.nothing(1, 1)
        mask.segments[0, 0] = (k / 5, (k + 1) / 5)
        lost = np.flatnonzero(~valid(hide(windows, mask))["a"][0])
        assert lost.tolist() == list(range(k * fifth, (k + 1) * fifth))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ConfigError, match=r"mask of shape \(3, 5\) for windows \(4, 5\)"):
        hide(all_there(4), Mask.nothing(3, 5))


# --- patterns and modes --------------------------------------------------------------------------


def test_a_pattern_keeps_exactly_the_named_modalities():
    windows = some_absent(20)
    after = hide(windows, pattern_mask(windows, ["e", "b"]))
    expected = windows.present & [False, True, False, False, True]
    np.testing.assert_array_equal(after.present, expected)
    with pytest.raises(DataError, match="Unknown modality 'z'"):
        pattern_mask(windows, ["z"])


@given(st.integers(1, 6))
def test_all_patterns_are_all_subsets_but_the_empty_one_largest_first(n):
    schema = Schema(Modality(f"m{i}") for i in range(n))
    patterns = all_patterns(schema)
    assert len(patterns) == len(set(patterns)) == 2**n - 1
    assert patterns[0] == schema.names
    sizes = [len(p) for p in patterns]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) == 1


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="'sensor'; known: modality, device, segment, points"):
        mask_of("sensor")


@pytest.mark.parametrize(("begin", "end"), [(0.0, 0.25), (0.75, 1.0), (0.0, 1.0), (0.5, 0.5)])
def test_a_part_is_lost_in_the_named_modalities_alone(begin: float, end: float) -> None:
    schema = Schema([Modality("acc", 1, 8.0), Modality("eda", 1, 4.0), Modality("hr", 1, 2.0)])
    rng = np.random.default_rng(0)
    arrays = {m.name: rng.normal(size=(3, round(m.rate_hz * 4), 1)) for m in schema}
    windows = Windows.from_arrays(arrays, schema, duration_s=4.0)
    seen = hide(windows, part_mask(windows, ["acc", "hr"], begin, end))
    for name in schema.names:
        values, times, _ = seen.samples[name].flat()
        lost = (times >= 4.0 * begin) & (times < 4.0 * end) & (name != "eda")
        assert np.isnan(values[:, 0]).tolist() == lost.tolist()
    assert seen.present[:, 1].all()
    assert (seen.present[:, [0, 2]] == (end - begin < 1)).all()
    share = realised_rate(windows, seen, "first")
    assert share == pytest.approx((end - begin) * 2 / 3)


def test_a_part_beyond_the_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="missing rate"):
        part_mask(all_there(2), ["a"], 0.5, 1.5)
