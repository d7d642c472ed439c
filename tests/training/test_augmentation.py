from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts import MaestroClassifier
from maestro_ts.recipe import AugmentationSettings
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import FOUR_RATES, random_windows
from maestro_ts.training.augmentation import augmented, rotations


def worn(n: int = 6) -> Windows:
    rng = np.random.default_rng(0)
    schema = [
        Modality("acc", 3, 20.0, device="wrist"),
        Modality("age", static=True),
        Modality("gyro", 3, 20.0, device="wrist"),
        Modality("hr", 1, 4.0),
        Modality("leg", 3, 20.0),
    ]
    arrays: dict[str, Any] = {
        "acc": rng.normal(size=(n, 40, 3)).astype(np.float32),
        "age": rng.normal(size=(n, 1, 1)),
        "hr": rng.normal(size=(n, 8, 1)).astype(np.float32),
    }
    arrays["gyro"] = arrays["leg"] = arrays["acc"].copy()
    arrays["acc"][0, 3:9] = np.nan
    return Windows.from_arrays(arrays, schema, duration_s=2.0)


def change(windows: Windows, seed: int = 0, **changes: float) -> Windows:
    return augmented(windows, AugmentationSettings(**changes), np.random.default_rng(seed))


def test_time_is_stretched_about_the_middle_and_shifted() -> None:
    given = worn()
    found = change(given, shift=0.1, stretch=0.2)
    for name in ("acc", "hr"):
        for i in range(len(given)):
            before, after = given.samples[name].window(i), found.samples[name].window(i)
            assert np.array_equal(before[0], after[0], equal_nan=True)
            slope, offset = np.polyfit(before[1], after[1], 1)
            assert np.allclose(slope * before[1] + offset, after[1])
            assert np.exp(-0.2) <= slope <= np.exp(0.2)
            assert abs(slope * 1.0 + offset - 1.0) <= 0.1 * 2.0 + 1e-9  # where the middle went
            other = found.samples["hr"].window(i)[1]
            assert np.polyfit(given.samples["hr"].window(i)[1], other, 1)[0] == pytest.approx(slope)


def test_what_leaves_the_window_is_lost() -> None:
    given = worn()
    found = change(given, shift=0.5)
    times = [found.samples["acc"].window(i)[1] for i in range(len(given))]
    assert any((t < 0).any() or (t >= 2.0).any() for t in times)
    assert all((np.diff(t) > 0).all() for t in times)


def test_a_device_gives_every_second_to_fourth_sample_or_all() -> None:
    given = worn(200)
    found = change(given, slower=0.3)
    steps: dict[str, list[int]] = {"acc": [], "gyro": [], "leg": [], "hr": []}
    for name, own in steps.items():
        for i in range(len(given)):
            (before, long), (after, few) = (w.samples[name].window(i) for w in (given, found))
            at = np.searchsorted(long, few - 1e-9)
            assert np.allclose(long[at], few)
            assert np.array_equal(before[at], after, equal_nan=True)
            assert len(set(np.diff(at))) == 1
            own.append(int(at[1] - at[0]))
    assert steps["acc"] == steps["gyro"] != steps["leg"]  # a device as one
    assert set(steps["acc"]) == {1, 2, 3, 4}
    assert np.mean(np.array(steps["acc"]) > 1) == pytest.approx(0.3, abs=0.1)
    assert np.array_equal(found.samples["age"].read(), given.samples["age"].read())


def test_a_device_turns_as_one_and_only_sensors_with_directions_do() -> None:
    given = worn()
    found = change(given, rotation_deg=30.0)
    for i in range(len(given)):
        acc, gyro, leg = (found.samples[n].window(i)[0] for n in ("acc", "gyro", "leg"))
        there = ~np.isnan(acc).any(axis=1)
        assert np.array_equal(acc[there], gyro[there])
        assert not np.allclose(gyro, leg, atol=1e-3)
        before = given.samples["gyro"].window(i)[0]
        assert np.allclose(np.linalg.norm(gyro, axis=1), np.linalg.norm(before, axis=1), atol=1e-5)
        for name in ("hr", "age"):
            assert np.array_equal(
                found.samples[name].window(i)[0], given.samples[name].window(i)[0]
            )


def test_one_channel_sensors_get_another_level_and_range() -> None:
    given = worn(400)
    given.samples["hr"].values[5] = np.nan
    found = change(given, offset=2.0, gain=0.3)
    deviation = np.nanstd(given.samples["hr"].values)
    moved, scaled = [], []
    for i in range(len(given)):
        before, after = (w.samples["hr"].window(i)[0][:, 0] for w in (given, found))
        there = ~np.isnan(before)
        assert np.array_equal(there, ~np.isnan(after))
        slope, level = np.polyfit(before[there], after[there], 1)
        assert np.allclose(slope * before[there] + level, after[there], atol=1e-4)
        scaled.append(np.log(slope))
        moved.append(level / deviation)
    assert np.std(moved) == pytest.approx(2.0, rel=0.15)
    assert np.std(scaled) == pytest.approx(0.3, rel=0.15)
    for name in ("acc", "age", "gyro"):
        assert np.array_equal(
            found.samples[name].read(), given.samples[name].read(), equal_nan=True
        )


def test_a_stream_without_a_rate_keeps_its_level() -> None:
    lab = Modality("lab", 1, None)
    values, times = np.ones((3, 5, 1)), np.arange(5.0)
    given = Windows.from_arrays({"lab": values}, [lab], duration_s=5.0, times={"lab": [times] * 3})
    found = change(given, offset=2.0, gain=0.3)
    assert np.array_equal(found.samples["lab"].read(), given.samples["lab"].read())


@given(largest=st.floats(0.0, np.pi), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_rotations_turn_by_no_more_than_asked(largest: float, seed: int) -> None:
    turns = rotations(np.random.default_rng(seed), 20, largest).astype(np.float64)
    assert np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3), atol=1e-5)
    assert np.allclose(np.linalg.det(turns), 1.0, atol=1e-5)
    angle = np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert (angle <= largest + 1e-3).all()


def test_labels_presence_and_the_given_windows_stay() -> None:
    given = random_windows(FOUR_RATES, 5)
    before = {n: s.read().copy() for n, s in given.samples.items()}
    found = change(given, shift=0.1, stretch=0.1, rotation_deg=10)
    assert np.array_equal(found.present, given.present)
    assert np.array_equal(found.ids, given.ids)
    for name, values in before.items():
        assert np.array_equal(given.samples[name].read(), values, equal_nan=True)


def test_a_seed_draws_alike() -> None:
    first, second, other = (change(worn(), seed, shift=0.1, stretch=0.1) for seed in (1, 1, 2))
    times = [w.samples["acc"].flat()[1] for w in (first, second, other)]
    assert np.array_equal(times[0], times[1])
    assert not np.array_equal(times[0], times[2])


@pytest.mark.parametrize(
    ("changes", "windows", "applies"),
    [({}, 10, False), ({"shift": 0.1}, 2000, True), ({"shift": 0.1}, 2001, False)],
)
def test_only_small_training_sets_are_changed(
    changes: dict[str, float], windows: int, applies: bool
) -> None:
    assert AugmentationSettings(**changes).applies(windows) == applies


def test_draws_change_every_few_epochs_and_a_fit_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []

    def spy(windows: Windows, settings: AugmentationSettings, rng: np.random.Generator) -> Windows:
        found = augmented(windows, settings, rng)
        drawn.append(float(found.samples["acc"].flat()[1].sum()))
        return found

    monkeypatch.setattr("maestro_ts.training.loop.augmented", spy)
    settings = {"augmentation.shift": 0.1, "augmentation.every": 2, "training.epochs": 5}
    y = np.arange(6) % 2
    fits = [
        MaestroClassifier(recipe="tiny", settings=settings, random_state=0).fit(worn(), y)
        for _ in range(2)
    ]
    assert len(drawn) == 6
    assert len(set(drawn[:3])) == 3
    assert drawn[:3] == drawn[3:]
    assert np.array_equal(*(fit.predict_proba(worn()) for fit in fits))
