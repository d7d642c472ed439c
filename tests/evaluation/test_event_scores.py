from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timeline_cases import by_the_second

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.evaluation.event_scores import (
    score_events,
    sensitivity_at,
    sensitivity_curve,
)
from maestro_ts.evaluation.events import Event, EventRule, find_events
from reference.slow_events import slow_detected, slow_onset_pairs

HOUR = by_the_second([0.5] * 3600)
SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 8)).map(lambda s: (s[0], s[0] + s[1])), max_size=5
)


def falls(*spans: tuple[float, float], source: str = "a", label: str = "fall") -> list[Event]:
    return [Event(source, label, begin, end) for begin, end in spans]


def test_sensitivity_and_false_alarms_per_hour() -> None:
    found = falls((11, 14), (100, 110), (200, 201))
    scores = score_events(found, falls((10, 12), (300, 310)), HOUR)
    assert (scores.true, scores.detected, scores.found, scores.false_alarms) == (2, 1, 3, 2)
    assert scores.sensitivity == 0.5
    assert scores.precision == pytest.approx(1 / 3)
    assert scores.watched_h == pytest.approx(1)
    assert scores.false_alarms_per_h == pytest.approx(2)
    assert scores.delay_s == 1


def test_several_events_may_match_one_and_one_several() -> None:
    two = score_events(falls((0, 2), (3, 5)), falls((1, 4)), HOUR)
    assert (two.detected, two.false_alarms) == (1, 0)
    one = score_events(falls((1, 4)), falls((0, 2), (3, 5)), HOUR)
    assert (one.detected, one.false_alarms) == (2, 0)


def test_a_common_border_is_no_match_unless_tolerated() -> None:
    assert score_events(falls((2, 3)), falls((0, 2)), HOUR).detected == 0
    assert score_events(falls((2, 3)), falls((0, 2)), HOUR, tolerance_s=0.5).detected == 1


def test_a_true_event_may_be_a_moment() -> None:
    assert score_events(falls((2, 4)), falls((3, 3)), HOUR).detected == 1
    assert score_events(falls((2, 4)), falls((5, 5)), HOUR).detected == 0
    assert score_events([], falls((3, 3)), HOUR).unwatched == 0


def test_onsets_are_paired_one_to_one() -> None:
    scores = score_events(
        falls((9, 20), (11, 12)), falls((10, 11)), HOUR, match="onset", tolerance_s=2
    )
    assert (scores.detected, scores.false_alarms) == (1, 1)


def test_recordings_and_classes_are_apart() -> None:
    other = score_events(falls((0, 5)), falls((0, 5), label="walk"), HOUR)
    assert (other.detected, other.false_alarms) == (0, 1)
    with pytest.raises(DataError, match="not on the timeline"):
        score_events(falls((0, 5), source="b"), falls((0, 5)), HOUR)


def test_what_nobody_could_see_is_told() -> None:
    timeline = by_the_second([0.1, None, None, 0.1])
    scores = score_events([], falls((1, 3), (3, 4)), timeline)
    assert (scores.true, scores.detected, scores.unwatched) == (2, 0, 1)
    assert scores.watched_h == pytest.approx(2 / 3600)


def test_without_anything_there_is_no_score() -> None:
    scores = score_events([], [], by_the_second([None]))
    assert scores.sensitivity is None
    assert scores.precision is None
    assert scores.false_alarms_per_h is None
    assert scores.delay_s is None


@given(SPANS, SPANS)
def test_overlaps_are_those_of_every_pair(
    found: list[tuple[int, int]], truth: list[tuple[int, int]]
) -> None:
    scores = score_events(falls(*found), falls(*truth), HOUR)
    assert (scores.detected, scores.false_alarms) == slow_detected(found, truth)
    swapped = score_events(falls(*truth), falls(*found), HOUR)
    assert swapped.detected == scores.found - scores.false_alarms
    assert swapped.false_alarms == scores.true - scores.detected


@given(SPANS, SPANS, st.integers(0, 6))
def test_onset_pairs_are_as_many_as_can_be(
    found: list[tuple[int, int]], truth: list[tuple[int, int]], tolerance_s: int
) -> None:
    settings = {"match": "onset", "tolerance_s": float(tolerance_s)}
    scores = score_events(falls(*found), falls(*truth), HOUR, **settings)
    pairs = slow_onset_pairs([a for a, _ in found], [a for a, _ in truth], tolerance_s)
    assert scores.detected == pairs == scores.found - scores.false_alarms
    swapped = score_events(falls(*truth), falls(*found), HOUR, **settings)
    assert swapped.detected == pairs


@given(SPANS)
def test_the_truth_matches_itself(truth: list[tuple[int, int]]) -> None:
    for match in ("overlap", "onset"):
        scores = score_events(falls(*truth), falls(*truth), HOUR, match=match)
        assert (scores.detected, scores.false_alarms) == (len(truth), 0)


def test_the_curve_and_its_point_at_a_rate_of_false_alarms() -> None:
    steps = [0.0] * 3600
    steps[10], steps[20], steps[30], steps[40] = 0.9, 0.6, 0.4, 0.7
    timeline = by_the_second(steps)
    truth = falls((10, 11), (20, 21), (30, 31))
    curve = sensitivity_curve(timeline, truth, EventRule(), (0.3, 0.5, 0.65, 0.8, 0.95))
    assert [s.detected for _, s in curve] == [3, 2, 1, 1, 0]
    assert [s.false_alarms for _, s in curve] == [1, 1, 1, 0, 0]
    point = sensitivity_at(curve, 0.5)
    assert point is not None
    assert (point[0], point[1].sensitivity) == (0.8, pytest.approx(1 / 3))
    point = sensitivity_at(curve, 1.0)
    assert point is not None
    assert point[0] == 0.3
    assert sensitivity_at(curve, -1.0) is None


def test_the_curve_is_of_the_classes_of_the_rule() -> None:
    curve = sensitivity_curve(
        HOUR, [*falls((0, 1)), *falls((0, 1), label="walk")], EventRule(labels=("fall",)), (0.5,)
    )
    assert curve[0][1].true == 1
    assert curve[0][1] == score_events(find_events(HOUR), falls((0, 1)), HOUR)


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"match": "onsets"}, "Did you mean 'onset'"), ({"tolerance_s": -1.0}, "tolerance_s is -1")],
)
def test_a_rule_that_makes_no_sense_is_refused(settings: dict, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        score_events([], [], HOUR, **settings)


def test_an_event_that_ends_before_it_begins_is_refused() -> None:
    for begin, end in ((2, 1), (float("nan"), 1), (0, float("inf"))):
        with pytest.raises(DataError, match="an event from"):
            score_events([], falls((begin, end)), HOUR)
