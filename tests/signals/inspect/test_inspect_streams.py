"""Faults that are put into a stream on purpose: each is found, and its sound twin is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.inspect import KINDS, inspect
from maestro_ts.signals.inspect.finding import Finding
from maestro_ts.signals.inspect.units import grid_step, scale_change
from maestro_ts.signals.inspect.wording import finding_rows
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

RATE_HZ = 20.0
N = 600


def motion(seed: int = 0, n: int = N) -> NDArray[np.float64]:
    """A worn accelerometer in g: at rest, with small movements, shape (n, 3)."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE_HZ
    sway = 0.1 * np.sin(2 * np.pi * 0.7 * t) * (np.sin(2 * np.pi * 0.05 * t) > 0)
    still = np.stack([0.2 + sway, 0.95 + 0.3 * sway, 0.1 - sway], axis=1)
    return still + rng.normal(0, 0.01, (n, 3))


def slow(n: int = N) -> NDArray[np.float64]:
    """Skin temperature in steps of 0.02: repeats itself as a rule, shape (n, 1)."""
    rng = np.random.default_rng(1)
    level = 33 + np.cumsum(rng.choice([0, 0, 0, 0, 0.02, -0.02], n))
    return np.round(level, 2)[:, None]


def card_of(*modalities: Modality, classes: tuple[str, ...] = ()) -> Card:
    return Card(
        name="made",
        title="Made",
        task="none",
        schema=Schema(modalities),
        classes=classes,
        windows=WindowSpec(),
        label_rule="",
        licence="",
        citation="",
        how_to_get="",
        subjects=1,
    )


def look(
    values: NDArray, unit: str = "g", rate_hz: float | None = RATE_HZ, times: NDArray | None = None
) -> list[Finding]:
    """All findings of one stream."""
    modality = Modality("m", values.shape[1], rate_hz, unit)
    stream = Stream(values.astype(np.float32), rate_hz, times)
    recording = Recording({"m": stream}, subject="s", source="r")
    return list(inspect(card_of(modality), Reading([recording])).findings)


def kinds(*args: object, **kwargs: object) -> set[str]:
    return {f.kind for f in look(*args, **kwargs)}  # type: ignore[arg-type]


def clock(n: int = N) -> NDArray[np.float64]:
    return np.arange(n) / RATE_HZ


@pytest.mark.parametrize("values", [motion(), slow(), motion(1)[:, :1], motion(2).round(3)])
def test_sound_streams_are_left_alone(values: NDArray) -> None:
    assert kinds(values, unit="") == set()
    assert kinds(values, unit="", times=clock()) == set()


# ------------------------------------------------------------------ unit change


@pytest.mark.parametrize("factor", [4, 9.80665, 1000])
@pytest.mark.parametrize("at", [40, 300, 570])
@pytest.mark.parametrize("later", [True, False], ids=["larger later", "smaller later"])
@pytest.mark.parametrize("step", [None, 1 / 4096], ids=["no grid", "grid"])
def test_a_unit_change_is_found_where_it_is(
    factor: float, at: int, later: bool, step: float | None
) -> None:
    values = motion()
    if step is not None:
        values = np.round(values / step) * step
    values[:at] /= factor if later else 1 / factor
    (finding,) = [f for f in look(values) if f.kind == "unit-change"]
    found = scale_change(values.astype(np.float32))
    assert found is not None
    assert abs(found[0] - at) <= 1
    assert max(found[1], 1 / found[1]) == pytest.approx(factor, rel=0.01)
    assert f"{factor:.4g} times too {'small' if later else 'large'} before" in finding.what
    assert f"{at / RATE_HZ:.4g}"[:3] in finding.what


def test_with_a_grid_a_few_samples_are_enough() -> None:
    values = np.round(motion() * 4096) / 4096
    values[:3] /= 4
    assert scale_change(values.astype(np.float32)) == (3, 4.0)


def test_whoever_starts_to_move_changes_no_unit() -> None:
    rng = np.random.default_rng(0)
    turns = rng.normal(0, 1.0, (N, 3))
    turns[200:] *= 40 * np.abs(np.sin(np.arange(N - 200) / 7))[:, None]
    assert "unit-change" not in kinds(turns, unit="deg/s")
    jump = motion()
    jump[300:] += rng.normal(0, 1.5, (300, 3))
    assert "unit-change" not in kinds(jump)


def test_gaps_and_few_samples_are_no_unit_change() -> None:
    values = motion()
    values[::7] = np.nan
    assert scale_change(values) is None
    values[:200] /= 1000
    found = scale_change(values)
    assert found is not None
    assert abs(found[0] - 200) <= 2
    assert scale_change(values[:10]) is None
    assert scale_change(np.full((N, 3), np.nan)) is None
    assert scale_change(np.zeros((N, 3))) is None


@pytest.mark.parametrize("step", [1 / 4096, 0.001, 0.02, 3.0])
def test_the_step_of_a_grid(step: float) -> None:
    rng = np.random.default_rng(0)
    values = (rng.integers(-900, 900, (200, 1)) * step).astype(np.float32).astype(np.float64)
    assert grid_step(values) == pytest.approx(step, rel=1e-3)


def test_what_is_continuous_has_no_grid() -> None:
    values = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    assert grid_step(values.astype(np.float64)) is None
    assert grid_step(np.zeros((200, 1))) is None


# ----------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("unit", "fine", "wrong"),
    [
        ("degC", 36.5, 382.0),
        ("pH", 7.35, 735.0),
        ("bpm", 70.0, -1.0),
        ("%", 97.0, 970.0),
        ("uS", 2.0, -3.0),
    ],
)
def test_impossible_values_of_a_unit(unit: str, fine: float, wrong: float) -> None:
    values = fine + 0.01 * np.random.default_rng(0).normal(size=(N, 1))
    assert kinds(values, unit=unit) == set()
    values[17] = wrong
    (finding,) = [f for f in look(values, unit=unit) if f.kind == "impossible"]
    assert "1 values outside" in finding.what
    assert f"the farthest {wrong:g}" in finding.what
    assert finding.share == pytest.approx(1 / N)
    assert "impossible" not in kinds(values, unit="furlong")


def test_a_constant_channel() -> None:
    values = motion()
    values[:, 1] = 0.5
    (finding,) = [f for f in look(values) if f.kind == "constant"]
    assert finding.what == "channel 2: always 0.5"
    assert finding.share == pytest.approx(1 / 3)
    values[0, 1] = 0.6
    assert "constant" not in kinds(values)


def test_a_value_that_hangs() -> None:
    values = motion()
    values[100:200] = values[100]
    (finding,) = [f for f in look(values) if f.kind == "stuck"]
    assert "for 4.95 s from 5 s" in finding.what
    assert finding.share == pytest.approx(100 / N)
    values[100:200, 2] += np.arange(100) / 1e3
    assert "stuck" not in kinds(values)


def test_a_slow_sensor_that_repeats_itself_is_not_stuck() -> None:
    values = np.repeat(slow(20), 30, axis=0)
    assert "stuck" not in kinds(values, unit="degC")


def test_saturation() -> None:
    wide = 2.5 * np.random.default_rng(0).normal(size=(N, 1))
    assert "saturation" not in kinds(wide)
    found = [f for f in look(np.clip(wide, -2, 2)) if f.kind == "saturation"]
    assert {f.what.split("the ")[1] for f in found} == {"largest value, 2", "smallest value, -2"}
    assert all(0.1 < f.share < 0.4 for f in found)
    assert "saturation" not in kinds(slow(), unit="degC")


def test_missing_values() -> None:
    values = motion()
    values[: N // 10] = np.nan
    assert kinds(values) == set()
    values[: N // 2] = np.nan
    (finding,) = look(values)
    assert (finding.kind, finding.what) == ("missing", "50% of the values are missing")
    (finding,) = look(np.full((N, 3), np.nan))
    assert finding.what == "all values are missing"


# ------------------------------------------------------------------------ times


def test_a_gap() -> None:
    times = clock()
    times[300:] += 3
    (finding,) = look(motion(), times=times)
    assert finding.kind == "gap"
    assert finding.what == "1 gaps, the largest of 3.05 s at 14.95 s"
    assert kinds(motion(), times=times, rate_hz=None) == set()
    times[300:] -= 2.9
    assert kinds(motion(), times=times) == set()


def test_jitter() -> None:
    rng = np.random.default_rng(0)
    little = clock() + rng.uniform(0, 0.2 / RATE_HZ, N)
    much = np.sort(clock() + rng.uniform(0, 3 / RATE_HZ, N))
    assert kinds(motion(), times=little) == set()
    assert "jitter" in kinds(motion(), times=much)
    assert "jitter" not in kinds(motion(), times=much, rate_hz=None)


def test_another_rate_than_stated() -> None:
    assert kinds(motion(), times=clock() * 1.05) == set()
    (finding,) = look(motion(), times=clock() / 2.5)
    assert (finding.kind, finding.what) == ("rate", "the time stamps tell 50 Hz, 20 Hz are stated")


def test_samples_that_come_in_bursts_have_their_rate() -> None:
    found = kinds(motion(), times=np.repeat(clock()[::4], 4))
    assert "duplicate-time" in found
    assert "rate" not in found


def test_equal_times_and_what_contradicts_at_one_time() -> None:
    times = clock()
    times[10] = times[9]
    (finding,) = look(motion(), times=times)
    assert finding.kind == "duplicate-time"
    assert finding.what == "1 samples have the time of the one before, first at 0.45 s"
    assert kinds(motion(), times=times, rate_hz=None) == {"duplicate-time", "conflict"}
    values = motion()
    values[10] = values[9]
    assert kinds(values, times=times, rate_hz=None) == {"duplicate-time"}
    values[10] = np.nan
    assert kinds(values, times=times, rate_hz=None) == {"duplicate-time"}


# ------------------------------------------------------------- whole recordings


@pytest.mark.parametrize(
    ("start_s", "n", "found"),
    [(0.0, N, set()), (5.0, N, {"begin-apart", "end-apart"}), (0.0, 300, {"end-apart"})],
)
def test_devices_that_begin_or_end_apart(start_s: float, n: int, found: set[str]) -> None:
    a, b = Modality("a", 3, RATE_HZ), Modality("b", 3, RATE_HZ)
    streams = {
        "a": Stream(motion().astype(np.float32), RATE_HZ),
        "b": Stream(motion(3)[:n].astype(np.float32), RATE_HZ, start_s=start_s),
    }
    seen = inspect(card_of(a, b), Reading([Recording(streams, subject="s", source="r")]))
    assert {f.kind for f in seen.findings} == found
    same = card_of(Modality("a", 3, RATE_HZ, device="w"), Modality("b", 3, RATE_HZ, device="w"))
    assert inspect(same, Reading([Recording(streams, subject="s", source="r")])).findings == ()


def test_every_kind_of_finding_has_words_and_an_order() -> None:
    values = motion()
    values[100:200] = values[100]
    values[400] = 382
    found = look(values, unit="degC", times=clock() / 2)
    assert [f.kind for f in found] == sorted((f.kind for f in found), key=list(KINDS).index)


def test_a_recording_with_two_findings_of_a_kind_counts_once() -> None:
    wide = np.clip(2.5 * np.random.default_rng(0).normal(size=(N, 1)), -2, 2).astype(np.float32)
    modality = Modality("m", 1, RATE_HZ)
    recording = Recording({"m": Stream(wide, RATE_HZ)}, subject="s", source="r")
    _, (row,) = finding_rows(inspect(card_of(modality), Reading([recording])))
    assert row[:3] == ["saturation", "m", "1"]


def test_a_look_changes_nothing() -> None:
    values = motion().astype(np.float32)
    values[:50] /= 4
    before = values.copy()
    look(values)
    np.testing.assert_array_equal(values, before)


def test_the_summary_of_a_modality() -> None:
    values = motion()
    values[:60] = np.nan
    m = Modality("m", 3, RATE_HZ, "g", "wrist")
    stamped = clock() * 1.01
    recordings = [
        Recording(
            {"m": Stream(values.astype(np.float32), RATE_HZ, stamped)}, subject="s", source="a"
        ),
        Recording({}, subject="t", source="b", duration_s=1.0, labels=(Interval(0, 1, "u"),)),
    ]
    seen = inspect(card_of(m), Reading(recordings))
    (row,) = seen.modalities
    assert (row.recordings, row.samples, row.stated_hz) == (1, N, RATE_HZ)
    assert row.missing_share == pytest.approx(0.1)
    assert row.rate_hz == pytest.approx((20 / 1.01,) * 3)
    assert row.lowest == pytest.approx(np.nanmin(values))
    assert (seen.recordings, seen.subjects) == (2, 2)
