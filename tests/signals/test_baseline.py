from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.baseline import Baseline, ZScore, in_period, normalised
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.window_spec import WindowChanges
from reference.slow_baseline import slow_scores

SCHEMA = Schema(
    [
        Modality("acc", 3, 20.0, "g"),
        Modality("eda", 1, 4.0, "uS"),
        Modality("steps", 1),
        Modality("age", 1, static=True),
    ]
)
SPEC = WindowSpec(2.0, 1.0, baseline_s=5.0)
seeds = st.integers(0, 2**32 - 1)


def recording(seed: int, source: str = "r", length_s: float = 12.0) -> Recording:
    """Levels and spreads of any size, gaps, a start a little off 0, stamps on borders."""
    rng = np.random.default_rng(seed)

    def values(n: int, channels: int) -> np.ndarray:
        own = rng.normal(size=channels) * 50, 10.0 ** rng.uniform(-2, 2, channels)
        drawn = rng.normal(own[0], own[1], (n, channels))
        drawn[rng.random((n, channels)) < 0.1] = np.nan
        return drawn.astype(np.float32)

    stamps = np.sort(rng.uniform(0, length_s, 60).round(1))
    streams = {
        "acc": Stream(values(int(20 * length_s), 3), 20.0),
        "eda": Stream(values(int(4 * length_s), 1), 4.0, start_s=0.1),
        "steps": Stream(values(60, 1), times=stamps),
        "age": Stream.constant([40.0]),
    }
    labels = (Interval(0.0, 7.5, "a"), Interval(7.5, length_s, "b"))
    return Recording(streams, "s", source, labels, length_s)


def changed(whole: Recording, name: str, values: np.ndarray) -> Recording:
    """The recording with other values of one modality."""
    stream = replace(whole.streams[name], values=values)
    return replace(whole, streams={**whole.streams, name: stream})


@given(seed=seeds, period=st.sampled_from([1.0, 5.0, 11.9, "session"]))
def test_values_are_those_of_the_slow_twin(seed, period):
    raw = recording(seed)
    found = normalised(raw, SCHEMA, period)
    for name in ("acc", "eda", "steps"):
        wanted = np.array(slow_scores(raw.streams[name], period))
        np.testing.assert_allclose(found.streams[name].values, wanted, rtol=2e-6, atol=1e-6)
    assert found.streams["age"] is raw.streams["age"]


@given(
    seed=seeds,
    period=st.sampled_from([5.0, "session"]),
    gain=st.floats(0.01, 100),
    offset=st.floats(-1000, 1000),
)
def test_gain_and_offset_of_a_sensor_do_not_matter(seed, period, gain, offset):
    spec, raw = replace(SPEC, baseline_s=period), recording(seed)
    worn = raw.streams["acc"].values.astype(np.float64) * gain + offset
    one = cut([raw], SCHEMA, spec)
    other = cut([changed(raw, "acc", worn.astype(np.float32))], SCHEMA, spec)
    # Of a spread far below the offset float32 keeps few digits.
    kept = np.nanstd(raw.streams["acc"].values, axis=0).min() * gain / (abs(offset) + 200 * gain)
    a, b = one.samples["acc"].read(), other.samples["acc"].read()
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6 / kept)


@given(seed=seeds, at_s=st.floats(5.0, 12.0))
def test_nothing_later_changes_what_came_before(seed, at_s):
    """What comes after a time changes no value before it, whatever it is."""
    raw = recording(seed)
    plain = normalised(raw, SCHEMA, SPEC.baseline_s)
    for name in ("acc", "eda", "steps"):
        later = raw.streams[name].sample_times() >= at_s
        values = raw.streams[name].values.copy()
        values[later] = np.where(np.isnan(values[later]), 7.0, 1e6)
        found = normalised(changed(raw, name, values), SCHEMA, SPEC.baseline_s)
        np.testing.assert_array_equal(
            found.streams[name].values[~later], plain.streams[name].values[~later]
        )


@given(seed=seeds, rule=st.sampled_from(["inside", "majority", "start", "end"]))
def test_windows_are_the_raw_ones_that_begin_after_the_baseline(seed, rule):
    raw = recording(seed)
    plain = cut([raw], SCHEMA, WindowSpec(2.0, 0.7, rule))
    found = cut([raw], SCHEMA, WindowSpec(2.0, 0.7, rule, baseline_s=5.0))
    kept = plain[plain.start_s >= 5.0]
    np.testing.assert_array_equal(found.ids, kept.ids)
    np.testing.assert_array_equal(found.labels, kept.labels)
    assert 0 < len(kept) < len(plain)


@given(seed=seeds, cuts=st.lists(st.integers(0, 240), max_size=8))
def test_a_live_recording_finds_the_same_baseline(seed, cuts):
    raw = recording(seed)
    live = Baseline(SCHEMA, 5.0)
    for name in ("steps", "acc", "eda"):
        stream = raw.streams[name]
        times = stream.sample_times()
        borders = [0, *sorted(min(c, len(times)) for c in cuts), len(times)]
        for first, end in pairwise(borders):
            known = live.push(name, times[first:end], stream.values[first:end])
            over = end > 0 and times[end - 1] >= 5.0 - 1e-9
            assert (known is not None) == over
        wanted = ZScore.of(stream.values[in_period(times, 5.0)])
        np.testing.assert_array_equal(known.mean, wanted.mean)
        np.testing.assert_array_equal(known.deviation, wanted.deviation)
        np.testing.assert_array_equal(
            known(stream.values), normalised(raw, SCHEMA, 5.0).streams[name].values
        )


def test_a_channel_without_a_baseline_is_missing_throughout():
    raw = recording(3)
    values = raw.streams["acc"].values.copy()
    values[:100, 0] = 0.25  # a constant of five seconds
    values[:100, 1] = np.nan
    silent = {n: s for n, s in raw.streams.items() if n != "eda"}
    found = normalised(changed(replace(raw, streams=silent), "acc", values), SCHEMA, 5.0)
    assert np.isnan(found.streams["acc"].values[:, :2]).all()
    assert not np.isnan(found.streams["acc"].values[100:, 2]).all()
    assert "eda" not in found.streams
    late = replace(raw.streams["steps"], values=np.ones((60, 1), np.float32))
    windows = cut([replace(raw, streams={**raw.streams, "steps": late})], SCHEMA, SPEC)
    assert not windows.present[:, SCHEMA.index("steps")].any()
    assert windows.present[:, SCHEMA.index("acc")].all()


def test_a_stream_that_begins_after_the_period_is_missing_throughout():
    raw = recording(4)
    late = Stream(raw.streams["eda"].values[:20], 4.0, start_s=6.0)
    windows = cut([replace(raw, streams={**raw.streams, "eda": late})], SCHEMA, SPEC)
    assert not windows.present[:, SCHEMA.index("eda")].any()
    live = Baseline(SCHEMA, 5.0)
    zscore = live.push("eda", late.sample_times(), late.values)
    assert zscore is not None
    assert zscore.missing.all()


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3))
def test_values_stay_finite(values):
    column = np.array(values, np.float32)[:, None]
    zscore = ZScore.of(column[:2])
    assume(not zscore.missing.any())
    assert np.isfinite(zscore(column)).all()


def test_a_sample_at_the_border_lies_after_the_period_and_one_before_0_s_outside():
    stream = Stream(np.arange(8.0), 1.0, start_s=-2.0)
    assert in_period(stream.sample_times(), 3.0) == slice(2, 5)
    assert in_period(stream.sample_times(), "session") == slice(0, 8)


@pytest.mark.parametrize("period", [180.0, 12.0])
def test_a_recording_that_is_too_short_is_refused_by_name(period):
    long = recording(0, "long", 300.0)
    with pytest.raises(DataError, match=r"short: 12 s long, its baseline.*1 of 2.*session"):
        cut([long, recording(1, "short")], SCHEMA, replace(SPEC, baseline_s=period))
    with pytest.raises(DataError, match="within one label after the baseline of 11 s"):
        cut([recording(1)], SCHEMA, replace(SPEC, baseline_s=11.0))


@pytest.mark.parametrize("period", [0, -1.0, np.nan, np.inf, "day"])
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(ConfigError, match="seconds above 0 or 'session'"):
        WindowSpec(2.0, baseline_s=period)


def test_trials_have_no_first_seconds_but_a_session():
    with pytest.raises(ConfigError, match=r"baseline_s needs duration_s.*session"):
        WindowSpec(baseline_s=5.0)
    windows = cut([recording(0)], SCHEMA, WindowSpec(baseline_s="session"))
    scores = windows.samples["acc"].read().astype(np.float64)
    np.testing.assert_allclose(np.nanmean(scores, axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(scores, axis=0), 1, atol=1e-6)


def test_changes_set_a_baseline_and_take_it_away():
    assert WindowChanges(baseline_s="session").apply(SPEC).baseline_s == "session"
    assert WindowChanges(baseline_s=0).apply(SPEC).baseline_s is None
    assert WindowChanges().apply(SPEC) == SPEC
    assert SPEC.values() == {"duration_s": 2.0, "step_s": 1.0, "baseline_s": 5.0}


def test_a_live_recording_refuses_what_it_cannot_take():
    with pytest.raises(ConfigError, match="needs its end"):
        Baseline(SCHEMA, "session")
    live = Baseline(SCHEMA, 5.0)
    with pytest.raises(DataError, match=r"'acc': values \(2, 1\).* 3 channels"):
        live.push("acc", [0.0, 0.1], np.zeros((2, 1)))
    with pytest.raises(DataError, match=r"'age': .*static"):
        live.push("age", [0.0], np.zeros((1, 1)))
    with pytest.raises(DataError, match="Unknown modality 'ac'"):
        live.push("ac", [0.0], np.zeros((1, 1)))
    with pytest.raises(DataError, match="infinite value"):
        live.push("eda", [0.0], [[np.inf]])
    assert live.push("eda", [1.0, 2.0], np.zeros((2, 1))) is None
    with pytest.raises(DataError, match=r"'eda': time 1\.5 s comes after 2 s"):
        live.push("eda", [1.5], np.zeros((1, 1)))
    assert live.push("eda", [2.0], np.zeros((1, 1))) is None  # equal times are legal
