from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.failures import Failure, apply_failures
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

SCHEMA = Schema([Modality("fast", 2, 10.0), Modality("slow", 1, 4.0)])


def recording() -> Recording:
    """10 s; the values of slow are 1, 2, 3, …"""
    streams = {
        "fast": Stream(np.arange(200, dtype=np.float32).reshape(100, 2), 10.0),
        "slow": Stream(np.arange(1, 41), 4.0),
    }
    return Recording(streams, "s", "r", (Interval(0, 10, "x"),), notes=("before",))


def slow(*failures: Failure) -> Stream:
    return apply_failures(recording(), failures).streams["slow"]


def test_a_sensor_that_is_off_has_missing_samples() -> None:
    stream = slow(Failure("slow", "off", 2.0, 4.0))
    assert np.isnan(stream.values[:, 0]).tolist() == [8 <= i < 16 for i in range(40)]
    assert stream.values[7:17:9, 0].tolist() == [8, 17]


def test_samples_in_a_gap_do_not_exist() -> None:
    stream = slow(Failure("slow", "gap", 2.0, 4.0))
    assert stream.values[:, 0].tolist() == [*range(1, 9), *range(17, 41)]
    assert stream.times is not None
    assert stream.times[7:9].tolist() == [1.75, 4.0]
    assert stream.rate_hz == 4.0
    windows = cut(
        [apply_failures(recording(), [Failure("slow", "gap", 2, 4)])], SCHEMA, WindowSpec(2)
    )
    assert windows.present[:, 1].tolist() == [True, False, True, True, True]


def test_a_unit_changes_in_between() -> None:
    values = slow(Failure("slow", "unit", 2.0, 4.0, factor=9.5)).values[:, 0]
    assert values[7:9].tolist() == [8, 9 * 9.5]
    assert values[15:17].tolist() == [16 * 9.5, 17]


def test_a_stuck_sensor_repeats_its_last_value() -> None:
    assert slow(Failure("slow", "stuck", 2.0, 4.0)).values[6:18, 0].tolist() == [
        7,
        *[8] * 9,
        17,
        18,
    ]
    assert slow(Failure("slow", "stuck", 0.0, 1.0)).values[:5, 0].tolist() == [1, 1, 1, 1, 5]


def test_failures_follow_one_another_and_are_said_in_the_notes() -> None:
    made = apply_failures(
        recording(),
        [Failure("slow", "unit", 0, 10, factor=2), Failure("slow", "off", 5, 10)],
    )
    assert made.streams["slow"].values[:3, 0].tolist() == [2, 4, 6]
    assert np.isnan(made.streams["slow"].values[20:]).all()
    assert made.notes == (
        "before",
        "slow: unit by 2 from 0 to 10 s (scripted)",
        "slow: off from 5 to 10 s (scripted)",
    )


def test_the_recording_and_other_sensors_stay_as_they_are() -> None:
    source = recording()
    made = apply_failures(source, [Failure("slow", "stuck", 2, 4), Failure("slow", "off", 6, 8)])
    assert np.array_equal(source.streams["slow"].values[:, 0], np.arange(1, 41))
    assert made.streams["fast"] is source.streams["fast"]
    assert made.labels == source.labels


@pytest.mark.parametrize("rate", [4.0, 64.0, 700.0])
def test_a_failure_ends_at_the_same_instant_at_any_rate(rate: float) -> None:
    """Borders of 1/64 s, an hour in: no sample of the failure's time escapes, none is added."""
    start, end = 3600 + 1 / 64, 3605.5
    stream = Stream(np.ones(int(rate * 3610)), rate)
    made = apply_failures(Recording({"a": stream}, "s", "r"), [Failure("a", "off", start, end)])
    lost = np.flatnonzero(np.isnan(made.streams["a"].values[:, 0]))
    assert lost.tolist() == list(range(int(np.ceil(start * rate)), int(np.ceil(end * rate))))


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (lambda: Failure("slow", "offf", 0, 1), "Unknown failure 'offf'.*Did you mean 'off'"),  # type: ignore[arg-type]
        (lambda: Failure("slow", "off", 1, 1), "ends after it starts"),
        (lambda: Failure("slow", "off", float("nan"), 1), "ends after it starts"),
        (lambda: Failure("slow", "unit", 0, 1), "factor is for 'unit' alone, got 1.0 for 'unit'"),
        (
            lambda: Failure("slow", "off", 0, 1, 2.0),
            "factor is for 'unit' alone, got 2.0 for 'off'",
        ),
    ],
)
def test_failures_that_make_no_sense(failure: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        failure()  # type: ignore[operator]


def test_failures_that_befall_nothing() -> None:
    with pytest.raises(DataError, match=r"r: no modality 'slo' that could fail\..*'slow'"):
        apply_failures(recording(), [Failure("slo", "off", 0, 1)])
    with pytest.raises(DataError, match="modality 'slow': no sample from 20 to 30 s"):
        apply_failures(recording(), [Failure("slow", "off", 20, 30)])
