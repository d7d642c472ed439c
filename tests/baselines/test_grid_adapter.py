"""The grid against weights written down cell by cell, and that a mask is a mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maestro_ts.baselines.grid_adapter import on_grid
from maestro_ts.baselines.grid_front_end import GridFrontEnd, GridSettings
from maestro_ts.recipe import CurriculumSettings
from maestro_ts.signals.curriculum import draw_mask
from maestro_ts.signals.masks import Mask, hide, point_mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows


def matrix(rate_hz: float, grid_hz: float, length: int, steps: int) -> np.ndarray:
    """One linear operator [steps, length]: box means, or lines between centres, ends held."""
    weights = np.zeros((steps, length))
    for k in range(steps):
        if rate_hz >= grid_hz:
            for j in range(length):
                weights[k, j] = k <= (j / rate_hz) * grid_hz + 1e-9 < k + 1
        else:
            place = min(max((k + 0.5) / grid_hz * rate_hz - 0.5, 0.0), length - 1)
            low = int(place)
            weights[k, low] += 1 - (place - low)
            if place > low:
                weights[k, low + 1] += place - low
    return weights


@pytest.mark.parametrize("rate_hz", [2.0, 7.0, 16.0, 33.0, 100.0])
def test_values_are_those_of_the_linear_operator(rate_hz: float) -> None:
    rng = np.random.default_rng(0)
    length = round(rate_hz * 4)
    x = rng.normal(size=(3, length, 2)).astype(np.float32)
    x[1, length // 3 : length // 2 + 1, 0] = np.nan
    windows = Windows.from_arrays({"x": x}, [Modality("x", 2, rate_hz)], duration_s=4.0)
    found = on_grid(windows.samples["x"], windows.schema["x"], windows.duration_s, 64)
    weights = matrix(rate_hz, 16.0, length, 64)
    valid = ~np.isnan(x)
    total = np.einsum("kj,njc->nkc", weights, valid.astype(float))
    sums = np.einsum("kj,njc->nkc", weights, np.where(valid, x, 0.0).astype(float))
    with np.errstate(invalid="ignore"):
        wanted = np.where(total > 0, sums / total, np.nan)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    if rate_hz == 16.0:
        assert np.array_equal(found, x, equal_nan=True)


def test_a_line_stays_a_line_at_every_rate() -> None:
    for rate_hz in (4.0, 200.0):
        t = (np.arange(round(rate_hz * 4)) + 0.5) / rate_hz
        windows = Windows.from_arrays(
            {"x": t[None, :, None]}, [Modality("x", 1, rate_hz)], duration_s=4.0
        )
        found = on_grid(windows.samples["x"], windows.schema["x"], windows.duration_s, 40)[0, :, 0]
        middle = (np.arange(40) + 0.5) / 10
        inside = (middle > t[0]) & (middle < t[-1])
        np.testing.assert_allclose(found[inside], middle[inside], rtol=1e-6)


def test_windows_of_unequal_duration_have_equally_many_steps() -> None:
    x = [np.arange(40.0)[:, None], np.arange(20.0)[:, None]]
    sensors = [Modality("x", 1, 10.0)]
    windows = Windows.from_arrays({"x": x}, sensors, duration_s=np.array([4.0, 2.0]))
    found = on_grid(windows.samples["x"], windows.schema["x"], windows.duration_s, 20)[:, :, 0]
    np.testing.assert_allclose(found, [np.arange(0.5, 40, 2), np.arange(20)])


def test_the_end_holds_for_one_sample_and_no_longer() -> None:
    windows = Windows.from_arrays({"x": [np.ones((4, 1))]}, [Modality("x", 1, 2.0)], duration_s=8.0)
    found = on_grid(windows.samples["x"], windows.schema["x"], windows.duration_s, 32)[0, :, 0]
    # The last sample's centre is at 1.75 s; half a second later nothing is known.
    assert np.flatnonzero(~np.isnan(found)).tolist() == list(range(9))


def test_a_stream_without_a_rate_gives_means_and_short_lines() -> None:
    t = np.array([0.1, 0.2, 1.5, 2.5, 9.5])
    x = np.array([1.0, 3.0, 4.0, 6.0, 0.0])
    windows = Windows.from_arrays(
        {"x": [x[:, None]]}, [Modality("x")], times={"x": [t]}, duration_s=10.0
    )
    found = on_grid(windows.samples["x"], windows.schema["x"], windows.duration_s, 20)[0, :, 0]
    assert found[0] == 2.0
    line = 3.0 + (np.array([0.75, 1.25]) - 0.2) / 1.3
    np.testing.assert_allclose(found[[1, 2]], line, rtol=1e-6)
    np.testing.assert_allclose(found[[3, 5]], [4.0, 6.0])
    np.testing.assert_allclose(found[4], 4.0 + (2.25 - 1.5) * 2.0, rtol=1e-6)
    assert np.isnan(found[6:19]).all()
    assert found[19] == 0.0


def test_a_static_modality_has_its_value_everywhere() -> None:
    windows = Windows.from_arrays(
        {"age": np.array([[[40.0]], [[np.nan]]])}, [Modality("age", static=True)], duration_s=4.0
    )
    found = on_grid(windows.samples["age"], windows.schema["age"], windows.duration_s, 5)
    assert (found[0] == 40).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("native", [False, True])
def test_what_a_mask_hides_is_as_if_it_had_never_been_there(
    mixed_windows: Callable[..., Windows], native: bool
) -> None:
    mixed = mixed_windows()
    front_end = GridFrontEnd(GridSettings(grid_hz=10.0), native=native).fit(mixed)
    prepared, rows = front_end.prepare(mixed), np.arange(len(mixed))
    settings = CurriculumSettings(segment_probability=0.7)
    mask = draw_mask(settings, mixed.present, 1.0, np.random.default_rng(0))
    for hidden in (mask, point_mask(mixed, 0.5), Mask.nothing(*mixed.present.shape)):
        wanted = front_end(hide(mixed, hidden))
        found = front_end.collate(prepared, rows, hidden)
        for name in mixed.schema.names:
            assert found.inputs[name].equal(wanted.inputs[name]), name
            assert found.valid[name].equal(wanted.valid[name]), name
        assert found.present.equal(wanted.present)
    some = front_end.collate(prepared, rows[[2, 0]], mask[np.array([2, 0])])
    whole = front_end.collate(prepared, rows, mask)
    assert all(some.inputs[n].equal(whole.inputs[n][[2, 0]]) for n in mixed.schema.names)


def test_training_values_are_standardised_and_missing_is_zero(
    mixed_windows: Callable[..., Windows],
) -> None:
    mixed = mixed_windows(60)
    front_end = GridFrontEnd(GridSettings(grid_hz=10.0), native=True).fit(mixed)
    batch = front_end(mixed)
    eda, there = batch.inputs["eda"], batch.valid["eda"]
    known = eda[there]
    assert known.mean(dim=0).abs().max() < 1e-3
    assert (known.std(dim=0) - 1).abs().max() < 1e-2
    assert (eda[~there] == 0).all()
    again = GridFrontEnd(GridSettings(grid_hz=10.0), native=True)
    again.restore(mixed.schema, front_end.state())
    assert again.steps == front_end.steps
    assert again(mixed).inputs["eda"].equal(eda)


def test_a_channel_that_never_changed_is_not_blown_up() -> None:
    windows = Windows.from_arrays({"x": np.full((4, 40), 7.3)}, [Modality("x", 1, 10.0)])
    front_end = GridFrontEnd(GridSettings()).fit(windows)
    other = Windows.from_arrays({"x": np.full((4, 40), 8.3)}, [Modality("x", 1, 10.0)])
    np.testing.assert_allclose(front_end(other).inputs["x"], 1.0, rtol=1e-5)


def test_steps_are_bounded() -> None:
    windows = Windows.from_arrays({"x": np.zeros((2, 4000))}, [Modality("x", 1, 100.0)])
    steps = {
        hz: GridFrontEnd(GridSettings(grid_hz=hz, grid_steps=300)).fit(windows).steps["x"]
        for hz in (0.001, 5.0, 25.0)
    }
    assert steps == {0.001: 1, 5.0: 200, 25.0: 300}
