from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.places import Places, place
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.window_spec import WindowChanges, WindowSpec, resolve
from reference.slow_places import slow_places

RULES = ("inside", "majority", "start", "end")
A = Schema([Modality("a", 1, 4.0)])

tenths = st.integers(0, 150)
intervals = st.lists(
    st.tuples(tenths, st.integers(1, 60), st.sampled_from("abc")), min_size=1, max_size=6
)
specs = st.builds(
    lambda duration, step, rule, purity, inside: WindowSpec(
        duration / 10, step / 10, rule, purity if rule == "majority" else 0.5, inside
    ),
    st.integers(4, 40),
    st.integers(1, 30),
    st.sampled_from(RULES),
    st.sampled_from([0.5, 0.6, 0.75, 1.0]),
    st.sampled_from([1.0, 0.5, 0.25, 0.01]),
)


def labelled(rows: list[tuple[int, int, str]], shift: int = 0) -> tuple[Interval, ...]:
    return tuple(Interval((a + shift) / 10, (a + n + shift) / 10, name) for a, n, name in rows)


def recording(labels: tuple[Interval, ...], duration_s: float = 12.0) -> Recording:
    return Recording({}, "s", "r", labels, duration_s=duration_s)


def listed(places: Places) -> list[tuple[float, str]]:
    assert places.labels is not None
    return list(zip(places.start_s.tolist(), places.labels.tolist(), strict=True))


def placed(source: Recording, spec: WindowSpec) -> list[tuple[float, str]]:
    try:
        return listed(place([source], spec))
    except DataError:
        return []


def same(found: list[tuple[float, str]], wanted: list[tuple[float, str]]) -> None:
    """Equal labels at equal times, up to rounding."""
    found, wanted = ([(round(s, 6), label) for s, label in part] for part in (found, wanted))
    assert sorted(found) == sorted(wanted)


def starts(*labels: Interval, rule: str = "majority", **more: float) -> list[tuple[float, str]]:
    return placed(recording(labels), WindowSpec(4.0, 2.0, rule, **more))


# --- the rules -----------------------------------------------------------------------------------


@given(intervals, specs, st.integers(5, 150))
def test_windows_are_those_that_a_slow_look_finds(rows, spec, length):
    source = recording(labelled(rows), length / 10)
    same(placed(source, spec), slow_places(source, spec))


def test_the_majority_may_be_split_and_what_has_no_label_has_no_say():
    split = Interval(0, 1.5, "a"), Interval(1.5, 2.5, "b"), Interval(2.5, 4, "a")
    assert starts(*split)[0] == (0.0, "a")
    assert starts(*split, purity=0.75)[0] == (0.0, "a")
    assert starts(*split, purity=0.8) == []
    assert starts(Interval(0, 1.5, "a")) == []
    assert starts(Interval(0, 2, "a")) == [(0.0, "a")]


def test_two_labels_at_half_each_give_none():
    assert starts(Interval(0, 2, "a"), Interval(2, 6, "b")) == [(2.0, "b"), (4.0, "b")]


def test_a_label_given_twice_counts_once():
    assert starts(Interval(0, 1.5, "a"), Interval(0, 1.5, "a"), Interval(1, 1.9, "a")) == []


def test_start_and_end_ask_for_the_label_of_an_instant():
    labels = Interval(0, 5, "a"), Interval(5, 8, "b")
    assert starts(*labels, rule="start") == [(0, "a"), (2, "a"), (4, "a"), (6, "b")]
    assert starts(*labels, rule="end") == [(0, "a"), (2, "b"), (4, "b")]
    # A border belongs to the label that begins there, at the end to the one that ends there.
    labels = Interval(0, 4, "a"), Interval(4, 12, "b")
    assert starts(*labels, rule="start")[2] == (4, "b")
    assert starts(*labels, rule="end")[0] == (0, "a")
    assert starts(Interval(0, 3, "a"), Interval(2, 12, "b"), rule="start")[1:2] == [(4, "b")]


def test_a_trial_may_have_a_majority():
    labels = Interval(0, 5, "a"), Interval(5, 12, "b")
    assert placed(recording(labels), WindowSpec()) == [(0, "a")]
    assert placed(recording(labels), WindowSpec(label_rule="majority")) == [(0, "b")]
    assert placed(recording(labels), WindowSpec(label_rule="end")) == [(0, "b")]


def test_a_window_past_the_end_is_kept_if_enough_of_it_lies_inside():
    whole = recording((Interval(0, 11, "a"),), 11.0)
    for rule in RULES:
        spec = WindowSpec(4.0, 4.0, rule, min_inside=0.75)
        assert placed(whole, spec) == [(0, "a"), (4, "a"), (8, "a")]
        assert placed(whole, WindowSpec(4.0, 4.0, rule, min_inside=0.8)) == [(0, "a"), (4, "a")]
    early = recording((Interval(0, 10, "a"),), 11.0)
    assert placed(early, WindowSpec(4.0, 4.0, min_inside=0.5)) == [(0, "a"), (4, "a")]
    assert len(place([recording((), 1.0)], WindowSpec(4.0, min_inside=0.25)).start_s) == 1


def test_what_lies_past_the_end_is_missing():
    source = Recording({"a": Stream(np.arange(22), 4.0)}, "s", "r")
    windows = cut([source], A, WindowSpec(4.0, min_inside=0.25))
    assert windows.samples["a"].lengths.tolist() == [16, 6]
    assert windows.duration_s.tolist() == [4.0, 4.0]


# --- properties ----------------------------------------------------------------------------------


@given(intervals, specs, st.integers(1, 8))
def test_later_labels_give_later_windows(rows, spec, steps):
    """All labels moved by some steps, and the recording made longer by as much."""
    step = round(spec.step_s * 10)
    before = placed(recording(labelled(rows), 15.0), spec)
    after = placed(recording(labelled(rows, steps * step), 15.0 + steps * spec.step_s), spec)
    moved = [(start + steps * spec.step_s, label) for start, label in before]
    # Before the first window there was no other, that the label of a later moment could win.
    same([(s, label) for s, label in after if s > steps * spec.step_s - 1e-6], moved)


@given(intervals, st.integers(4, 40), st.integers(1, 30))
def test_a_higher_purity_leaves_fewer_windows(rows, duration, step):
    found = [
        set(placed(recording(labelled(rows)), WindowSpec(duration / 10, step / 10, "majority", p)))
        for p in (0.51, 0.7, 1.0)
    ]
    # Labels that overlap may both be there for half of a window, but not for more of it alone.
    starts_ = [{start for start, _ in part} for part in found]
    if not _overlap(rows):
        assert found[2] <= found[1] <= found[0]
        assert starts_[2] <= starts_[1]


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ab")), min_size=1, max_size=6))
def test_pure_windows_are_the_ones_inside_where_labels_begin_on_the_grid(stretches):
    """Purity 1 takes abutting intervals of one label for one, ``inside`` each for itself."""
    borders = np.concatenate([[0], np.cumsum([n for n, _ in stretches])]).astype(float)
    apart, merged = [], []
    for begin, end, (_, name) in zip(borders[:-1], borders[1:], stretches, strict=True):
        apart.append(Interval(begin, end, name))
        if merged and merged[-1].label == name:
            merged[-1] = Interval(merged[-1].start_s, end, name)
        else:
            merged.append(apart[-1])
    pure, inside = WindowSpec(2.0, 1.0, "majority", 1.0), WindowSpec(2.0, 1.0)
    end = float(borders[-1])
    assert placed(recording(tuple(apart), end), pure) == placed(
        recording(tuple(merged), end), inside
    )
    assert set(placed(recording(tuple(apart), end), inside)) <= set(
        placed(recording(tuple(apart), end), pure)
    )


def _overlap(rows: list[tuple[int, int, str]]) -> bool:
    return any(a < d + m and d < a + n and x != y for a, n, x in rows for d, m, y in rows)


def test_many_labels_over_a_day_take_no_time():
    borders = np.arange(0, 86_400, 2.0)
    labels = tuple(Interval(float(t), float(t) + 2.0, f"{k % 40}") for k, t in enumerate(borders))
    begin = time.process_time()
    found = place([recording(labels, 86_400.0)], WindowSpec(8.0, 0.5, "start"))
    assert len(found.start_s) == 172_785
    assert time.process_time() - begin < 5


# --- coverage ------------------------------------------------------------------------------------


def test_a_window_is_left_out_when_no_sensor_covers_it():
    schema = Schema([Modality("a", 1, 4.0), Modality("age", static=True), Modality("steps")])
    values = np.arange(40.0)
    values[9:24] = np.nan
    streams = {"a": Stream(values, 4.0), "age": Stream.constant([50.0])}
    source = Recording(streams, "s", "r", duration_s=10.0)

    def kept(share: float, *more: Recording) -> list[float]:
        windows = cut([source, *more], schema, WindowSpec(2.0, min_coverage=share))
        return windows.start_s.tolist()

    assert kept(0.0) == [0, 2, 4, 6, 8]
    assert kept(0.01) == kept(0.125) == [0, 2, 6, 8]
    assert kept(0.13) == kept(1.0) == [0, 6, 8]
    event = Stream([1.0], times=[2.5])
    other = Recording({"steps": event}, "s", "q", duration_s=4.0)
    assert kept(1.0, other) == [0, 6, 8, 2]
    with pytest.raises(DataError, match=r"no window has a modality with 50% of its samples"):
        cut(
            [Recording({"age": Stream.constant([1.0])}, "s", "r", duration_s=4.0)],
            schema,
            WindowSpec(2.0, min_coverage=0.5),
        )


def test_a_window_of_a_broken_number_of_steps_lacks_none():
    schema = Schema([Modality("a", 1, 3.0)])
    source = Recording({"a": Stream(np.zeros(60), 3.0)}, "s", "r")
    assert (
        len(cut([source], schema, WindowSpec(0.5, min_coverage=1.0)))
        == len(cut([source], schema, WindowSpec(0.5)))
        == 40
    )


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_rule": "majorty"}, r"'majorty' is none. Did you mean 'majority'"),
        ({"label_rule": "majority", "purity": 0.4}, r"purity must lie in \[0.5, 1\], got 0.4"),
        ({"label_rule": "majority", "purity": float("nan")}, "purity must lie in"),
        ({"purity": 0.8}, "purity is given with label_rule 'inside'"),
        ({"duration_s": 4.0, "min_inside": 0.0}, r"min_inside must lie in \(0, 1\]"),
        ({"min_inside": 0.5}, "min_inside needs duration_s"),
        ({"min_coverage": 1.1}, r"min_coverage must lie in \[0, 1\]"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        WindowSpec(**settings)


def test_no_window_left_says_by_which_rule():
    source = recording((Interval(0, 1, "a"),))
    with pytest.raises(DataError, match=r"No window of 4.0 s gets a label by the rule 'majority'"):
        place([source], WindowSpec(4.0, label_rule="majority"))


def test_changes_keep_the_rest_of_what_is_known():
    known = WindowSpec(8.0, 4.0, "majority", 0.8)
    assert resolve(None, known) is known
    assert resolve(WindowSpec(2.0), known) == WindowSpec(2.0)
    assert resolve(WindowChanges(), known) == known
    assert resolve(WindowChanges(2.0), known) == WindowSpec(2.0, None, "majority", 0.8)
    assert resolve(WindowChanges(step_s=1.0, purity=1.0), known) == WindowSpec(
        8.0, 1.0, "majority", 1.0
    )
    assert resolve(WindowChanges(label_rule="end"), known) == WindowSpec(8.0, 4.0, "end")
    assert WindowSpec(**known.values()) == known
    assert WindowSpec(2.0).values() == {"duration_s": 2.0, "step_s": None}
