from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timeline_cases import by_the_second, predictions, window

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.events import EventRule, find_events
from maestro_ts.evaluation.timeline import merge_windows
from reference.slow_events import slow_events

STEPS = st.lists(
    st.one_of(st.none(), st.integers(0, 10).map(lambda p: p / 10)), min_size=1, max_size=30
)
RULES = st.builds(
    EventRule,
    threshold=st.integers(1, 10).map(lambda p: p / 10),
    merge_gap_s=st.integers(0, 4).map(float),
    min_duration_s=st.integers(0, 4).map(float),
)


def spans(steps: list[float | None], **rule: Any) -> list[tuple[float, float]]:
    return [(e.onset_s, e.offset_s) for e in find_events(by_the_second(steps), EventRule(**rule))]


def test_an_event_is_where_the_class_is_probable() -> None:
    (event,) = find_events(by_the_second([0.1, 0.6, 0.8, 0.2]))
    assert (event.source, event.subject, event.label) == ("a", "s1", "fall")
    assert (event.onset_s, event.offset_s) == (1, 3)
    assert event.probability == pytest.approx(0.7)


def test_events_near_each_other_become_one_before_the_short_are_dropped() -> None:
    steps = [0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9]
    assert spans(steps) == [(0, 1), (2, 3), (6, 7)]
    assert spans(steps, merge_gap_s=1) == [(0, 3), (6, 7)]
    assert spans(steps, merge_gap_s=1, min_duration_s=2) == [(0, 3)]
    assert spans(steps, min_duration_s=2) == []


def test_unknown_time_is_no_event_and_ends_one() -> None:
    steps = [0.9, None, 0.9, None, None]
    assert spans(steps) == [(0, 1), (2, 3)]
    (event,) = find_events(by_the_second(steps), EventRule(merge_gap_s=1))
    assert (event.onset_s, event.offset_s) == (0, 3)
    assert event.probability == pytest.approx(0.9)
    assert find_events(by_the_second([None, None])) == []


@given(STEPS, RULES)
def test_events_are_those_of_the_slow_twin(steps: list[float | None], rule: EventRule) -> None:
    found = find_events(by_the_second(steps), rule)
    expected = slow_events(steps, rule.threshold, int(rule.merge_gap_s), int(rule.min_duration_s))
    assert [(e.onset_s, e.offset_s) for e in found] == [(a, b) for a, b, _ in expected]
    assert [e.probability for e in found] == pytest.approx([p for _, _, p in expected], rel=1e-12)


@given(st.lists(window(), min_size=1, max_size=12), RULES)
def test_events_of_a_class_never_overlap_and_keep_to_the_rule(
    windows: list[dict[str, Any]], rule: EventRule
) -> None:
    timeline = merge_windows(predictions(windows))
    found = find_events(timeline, rule)
    assert found == sorted(found, key=lambda e: (e.source, e.onset_s))
    for label in timeline.classes:
        for source in ("a", "b"):
            own = [e for e in found if (e.label, e.source) == (label, source)]
            for before, after in itertools.pairwise(own):
                assert after.onset_s - before.offset_s > rule.merge_gap_s
    for e in found:
        assert e.offset_s - e.onset_s >= max(rule.min_duration_s, 0.25) - 1e-9
        assert 0 <= e.probability <= 1
        assert e.probability >= rule.threshold - 1e-12 or rule.merge_gap_s


@given(st.lists(window(), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_windows_does_not_matter(windows: list[dict[str, Any]], rng: Any) -> None:
    shuffled = list(windows)
    rng.shuffle(shuffled)
    assert find_events(merge_windows(predictions(windows))) == find_events(
        merge_windows(predictions(shuffled))
    )


def test_only_the_classes_that_are_asked_for() -> None:
    sure = {"source": "a", "known": True}
    timeline = merge_windows(
        predictions(
            [
                sure | {"start": 0, "end": 2, "p": [0, 1, 0]},
                sure | {"start": 2, "end": 4, "p": [0, 0, 1]},
            ]
        )
    )
    assert [e.label for e in find_events(timeline)] == ["walk", "fall"]
    assert [e.label for e in find_events(timeline, EventRule(labels=("fall",)))] == ["fall"]
    with pytest.raises(ConfigError, match=r"no class 'fal' to find\. Did you mean 'fall'"):
        find_events(timeline, EventRule(labels=("fal",)))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"merge_gap_s": -1.0}, "merge_gap_s is -1"),
        ({"min_duration_s": float("inf")}, "min_duration_s is inf"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(settings: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        EventRule(**settings)  # type: ignore[arg-type]
