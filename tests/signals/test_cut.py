from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.masks import hide, pattern_mask, segment_mask
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.windows import Windows

A = Schema([Modality("a", 1, 4.0)])


def recording(
    seconds: float = 10.0, *labels: Interval, source: str = "r", rate_hz: float = 4.0
) -> Recording:
    """A stream whose value is the number of its sample."""
    stream = Stream(np.arange(int(seconds * rate_hz)), rate_hz)
    return Recording({"a": stream}, "s1", source, labels)


def values(windows: Windows, i: int, name: str = "a") -> list[float]:
    return windows.samples[name].window(i)[0][:, 0].tolist()


# --- where windows lie ---------------------------------------------------------------------------


def test_windows_follow_each_other_without_a_step():
    windows = cut([recording(10.9)], A, WindowSpec(2.0))
    assert windows.start_s.tolist() == [0, 2, 4, 6, 8]
    assert windows.duration_s.tolist() == [2] * 5
    assert windows.labels is None
    assert values(windows, 1) == [8, 9, 10, 11, 12, 13, 14, 15]


def test_a_window_lies_inside_one_label():
    labels = (Interval(0, 5, "rest"), Interval(5, 9, "walk"))
    windows = cut([recording(10, *labels)], A, WindowSpec(2.0, 1.0))
    assert windows.start_s.tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert windows.labels.tolist() == ["rest"] * 4 + ["walk"] * 3


def test_overlapping_labels_as_long_as_a_window_give_each_window_its_own():
    labels = [Interval(2.0 * j, 2.0 * j + 8.0, f"{j}") for j in range(5)]
    windows = cut([recording(16, *labels)], A, WindowSpec(8.0, 2.0))
    assert windows.start_s.tolist() == [0, 2, 4, 6, 8]
    assert windows.labels.tolist() == ["0", "1", "2", "3", "4"]
    assert values(windows, 4) == [float(k) for k in range(32, 64)]


def test_a_label_reaching_beyond_the_recording_gives_no_window_beyond_it():
    windows = cut([recording(10, Interval(-1.5, 30, "x"))], A, WindowSpec(2.0, 1.0))
    assert windows.start_s.tolist() == [0.5 + k for k in range(8)]


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(4, 30),
    st.integers(1, 30),
)
def test_every_window_is_covered_by_an_interval_of_its_label(intervals, duration, step):
    labels = [
        Interval(begin / 10, (begin + length) / 10, f"l{i}")
        for i, (begin, length) in enumerate(intervals)
    ]
    spec = WindowSpec(duration / 10, step / 10)
    source = recording(12, *labels)
    fitting = [i for i in labels if i.end_s - i.start_s >= spec.duration_s - 1e-9]
    if not any(i.start_s + spec.duration_s <= 12 + 1e-9 for i in fitting):
        with pytest.raises(DataError, match="No window"):
            cut([source], A, spec)
        return
    windows = cut([source], A, spec)
    of = {i.label: i for i in labels}
    for start, length, label in zip(
        windows.start_s, windows.duration_s, windows.labels, strict=True
    ):
        assert of[label].start_s <= start + 1e-9
        assert start + length <= min(of[label].end_s, 12) + 1e-9


def test_without_a_length_a_recording_is_one_window():
    long, short = recording(10, Interval(0, 10, "fall")), recording(3, source="q")
    windows = cut([long, recording(3, Interval(0, 3, "walk"), source="q")], A, WindowSpec())
    assert windows.duration_s.tolist() == [10, 3]
    assert windows.labels.tolist() == ["fall", "walk"]
    assert len(cut([long, short], A, WindowSpec())) == 1  # unlabelled among labelled: left out


def test_the_last_sample_of_an_irregular_trial_belongs_to_it():
    schema = Schema([Modality("a")])
    stream = Stream(np.arange(5), times=[0, 1, 2, 3, 4])
    assert values(cut([Recording({"a": stream}, "s", "r")], schema, WindowSpec()), 0) == [*range(5)]


# --- which samples they hold ---------------------------------------------------------------------


def test_a_sample_on_the_border_belongs_to_the_window_that_begins_there():
    schema = Schema([Modality("a")])
    stream = Stream(np.arange(6), times=[0, 1.999, 2, 2, 4, 6])
    source = Recording({"a": stream}, "s", "r", duration_s=6.0)
    windows = cut([source], schema, WindowSpec(2.0))
    assert [values(windows, i) for i in range(3)] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("rate", [32.0, 33.3, 700.0])
@pytest.mark.parametrize("start_s", [0.0, 0.1, 1000.3, 86_400.7])
def test_rounding_moves_no_sample_over_a_border(rate, start_s):
    """Windows of 30 samples: every border is the time of a sample up to rounding."""
    n = round(rate * 9)
    schema = Schema([Modality("a", 1, rate)])
    step = 30 / rate
    stream = Stream(np.arange(n), rate, start_s=start_s)
    label = Interval(start_s, start_s + n / rate, "x")
    windows = cut([Recording({"a": stream}, "s", "r", (label,))], schema, WindowSpec(step))
    for i in range(len(windows)):
        assert values(windows, i) == list(range(30 * i, 30 * (i + 1)))
        np.testing.assert_allclose(windows.samples["a"].window(i)[1][0], 0, atol=1e-9)


def test_overlapping_windows_share_memory():
    source = recording(10)
    windows = cut([source], A, WindowSpec(4.0, 0.25))
    assert len(windows) == 25
    assert len(windows.samples["a"].values) == 40
    assert values(windows, 1) == [float(k) for k in range(1, 17)]


def test_times_of_samples_count_from_the_begin_of_the_window():
    schema = Schema([Modality("a", 1, 4.0), Modality("b")])
    streams = {
        "a": Stream(np.arange(40), 4.0, start_s=0.1),
        "b": Stream(np.arange(4), times=[0.5, 2.5, 2.75, 9.0]),
    }
    windows = cut([Recording(streams, "s", "r")], schema, WindowSpec(2.0))
    np.testing.assert_allclose(windows.samples["a"].window(1)[1], 0.1 + np.arange(8) / 4)
    np.testing.assert_allclose(windows.samples["b"].window(1)[1], [0.5, 0.75])
    assert values(windows, 1, "b") == [1, 2]
    assert windows.present[:, 1].tolist() == [True, True, False, False, True]


def test_a_stream_that_begins_late_leaves_early_windows_without_it():
    stream = Stream(np.arange(16), 4.0, start_s=3.0)
    source = Recording({"a": stream}, "s", "r", duration_s=10.0)
    windows = cut([source], A, WindowSpec(2.0))
    assert windows.present[:, 0].tolist() == [False, True, True, True, False]
    assert windows.samples["a"].window(1)[1].tolist() == [1, 1.25, 1.5, 1.75]
    assert values(windows, 3) == [12, 13, 14, 15]


def test_recordings_without_a_stream_keep_their_windows():
    schema = Schema([Modality("a", 1, 4.0), Modality("b", 2, 8.0)])
    two = Recording(
        {"a": Stream(np.arange(8), 4.0), "b": Stream(np.ones((16, 2)), 8.0)}, "s1", "two"
    )
    one = Recording({"b": Stream(np.full((16, 2), 5.0), 8.0)}, "s2", "one")
    none = Recording({}, "s3", "none", duration_s=2.0)
    windows = cut([none, two, one, none], schema, WindowSpec(2.0))
    assert windows.present.tolist() == [[False, False], [True, True], [False, True], [False] * 2]
    assert windows.subjects.tolist() == ["s3", "s1", "s2", "s3"]
    assert windows.sources.tolist() == ["none", "two", "one", "none"]
    assert values(windows, 1) == [float(k) for k in range(8)]
    assert values(windows, 2, "b") == [5] * 16


def test_streams_with_times_and_streams_with_a_rate_may_be_mixed():
    times = Stream(np.arange(8), 4.0, np.arange(8) / 4 + 0.05)
    sources = [Recording({"a": times}, "s", "q", duration_s=2.0), recording(2)]
    windows = cut(sources, A, WindowSpec(1.0))
    np.testing.assert_allclose(windows.samples["a"].window(1)[1], [0.05, 0.3, 0.55, 0.8])
    np.testing.assert_allclose(windows.samples["a"].window(3)[1], [0, 0.25, 0.5, 0.75])
    assert values(windows, 3) == [4, 5, 6, 7]


def test_identity_follows_from_source_and_place_not_from_order_or_neighbours():
    first, second = recording(10, source="q"), recording(10, source="r")
    both = cut([first, second], A, WindowSpec(2.0))
    turned = cut([second, first], A, WindowSpec(2.0))
    alone = cut([second], A, WindowSpec(2.0))
    assert both.ids[5:].tolist() == turned.ids[:5].tolist() == alone.ids.tolist()
    assert len(set(both.ids.tolist())) == 10


# --- static modalities ---------------------------------------------------------------------------

STATIC = Schema([Modality("a", 1, 4.0), Modality("age", static=True), Modality("b")])


def patient(seconds: float, age: float | None, source: str, b: tuple[float, ...] = ()) -> Recording:
    streams = {"a": Stream(np.arange(int(seconds * 4)), 4.0)}
    if age is not None:
        streams["age"] = Stream.constant(age)
    if b:
        streams["b"] = Stream(np.arange(len(b)), times=np.array(b))
    return Recording(streams, source, source)


def test_a_static_value_belongs_to_every_window_of_its_recording():
    sources = [patient(6, 63.0, "p"), patient(4, None, "q"), patient(4, 20.0, "r")]
    windows = cut(sources, STATIC, WindowSpec(2.0))
    assert [values(windows, i, "age") for i in range(7)] == [[63]] * 3 + [[]] * 2 + [[20]] * 2
    assert windows.present[:, 1].tolist() == [True] * 3 + [False] * 2 + [True] * 2
    assert windows.samples["age"].values.tolist() == [[63], [20]]  # shared, not repeated
    assert windows.samples["age"].window(2)[1].tolist() == [0]


def test_a_static_value_makes_no_recording_longer():
    assert patient(6, 63.0, "p").duration_s == 6
    assert Recording({"age": Stream.constant([63.0])}, "s", "r").duration_s == 0


def test_a_recording_of_statics_alone_is_legal():
    alone = Recording({"age": Stream.constant(63.0)}, "p", "p", duration_s=4.0)
    windows = cut([alone, patient(4, 20.0, "q", b=(0.5, 3.0))], STATIC, WindowSpec())
    assert windows.present.tolist() == [[False, True, False], [True, True, True]]


def test_statics_survive_selection_joining_and_lost_segments():
    windows = cut([patient(6, 63.0, "p"), patient(4, 20.0, "q")], STATIC, WindowSpec(2.0))
    both = Windows.concatenate([windows[[4, 0]], windows[[2]]])
    assert [values(both, i, "age") for i in range(3)] == [[20], [63], [63]]
    hidden = hide(windows, segment_mask(windows, 0.5))
    assert [values(hidden, i, "age") for i in range(5)] == [[63]] * 3 + [[20]] * 2
    assert np.isnan(hidden.samples["a"].window(0)[0]).sum() == 4
    gone = hide(windows, pattern_mask(windows, ["a"]))
    assert not gone.present[:, 1].any()


def test_an_unknown_static_value_is_missing():
    windows = cut([patient(4, float("nan"), "p")], STATIC, WindowSpec(2.0))
    assert windows.present.tolist() == [[True, False, False]] * 2


@pytest.mark.parametrize("samples", [0, 2])
def test_a_static_modality_has_one_sample(samples):
    source = Recording({"age": Stream(np.ones(samples), times=np.zeros(samples))}, "s", "r")
    with pytest.raises(DataError, match=f"r, modality 'age': {samples} samples, .* has one"):
        cut([source], STATIC, WindowSpec())


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["duration_s", "step_s"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_lengths_and_steps_are_positive(field, value):
    with pytest.raises(ConfigError, match=f"{field} must be positive"):
        WindowSpec(**{field: value})


def test_nothing_to_cut_is_refused():
    with pytest.raises(DataError, match="No recordings"):
        cut([], A, WindowSpec(2.0))


def test_a_window_longer_than_everything_is_refused_with_the_longest():
    with pytest.raises(DataError, match=r"longest recording 10 s.*shorter duration_s"):
        cut([recording(10), recording(5)], A, WindowSpec(11.0))


@pytest.mark.parametrize(
    ("name", "stream", "message"),
    [
        ("aa", Stream(np.zeros(8), 4.0), r"r: unknown stream 'aa'.*Did you mean 'a'\?"),
        ("a", Stream(np.zeros((8, 2)), 4.0), "r, modality 'a': 2 channels, 1 expected"),
        ("a", Stream(np.zeros(8), 5.0), "r, modality 'a': rate 5.0 Hz, 4.0 Hz expected"),
    ],
)
def test_streams_that_do_not_fit_the_schema_are_refused(name, stream, message):
    with pytest.raises(DataError, match=message):
        cut([Recording({name: stream}, "s", "r")], A, WindowSpec(1.0))
