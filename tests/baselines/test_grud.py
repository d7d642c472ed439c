"""GRU-D against its slow twin; what a step of its grid holds, and which steps are taken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from test_rival_networks import built

from maestro_ts.baselines.grud import TIME_PER_WINDOW, history, taken
from maestro_ts.baselines.measured_grid import MeasuredGrid
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import keep
from reference.slow_grud import slow_grud

STEPS = 16  # 4 s at 4 Hz


def steps_of(windows: Windows, i: int) -> list[tuple[float, list[float | None]]]:
    """What is measured in each sixteenth of window i, standardised by nobody: raw means."""
    found: list[tuple[float, list[float | None]]] = []
    static = windows.schema.names.index("age")
    for k in range(STEPS):
        values: list[float | None] = []
        moving = False
        for m, modality in enumerate(windows.schema):
            x, t = windows.samples[modality.name].window(i)
            inside = np.floor(t * STEPS / 4.0 + 1e-9) == k
            rows = x if m == static else x[inside]
            for c in range(modality.channels):
                known = rows[:, c][~np.isnan(rows[:, c])] if len(rows) else rows[:, :1].ravel()
                values.append(float(known.mean(dtype=np.float64)) if len(known) else None)
                moving |= m != static and len(known) > 0
        edge = k in (0, STEPS - 1) and bool(windows.present[i].any())
        if moving or edge:
            found.append((k * TIME_PER_WINDOW / STEPS, values))
    return found


@pytest.mark.parametrize("pattern", [(1, 1, 1), (0, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)])
def test_logits_are_those_of_single_steps(
    pattern: tuple[int, int, int], shaken: Callable[..., Windows]
) -> None:
    windows = keep(shaken(10), np.array(pattern, dtype=bool))
    network, batch = built("gru-d", shaken(10))
    network = network.double()
    front_end = MeasuredGrid(NetworkSettings(grid_hz=4.0)).fit(shaken(10))
    batch = front_end(windows)
    with torch.no_grad():
        found = network(batch).logits
    weights = {name: w.detach() for name, w in network.named_parameters()}
    moments = np.concatenate([front_end.moments[n] for n in windows.schema.names], axis=1)
    for i in (0, 3, 5):
        steps = [
            (
                t,
                [
                    None if v is None else (v - moments[0, c]) / moments[1, c]
                    for c, v in enumerate(x)
                ],
            )
            for t, x in steps_of(windows, i)
        ]
        torch.testing.assert_close(found[i], slow_grud(steps, weights), rtol=1e-4, atol=1e-5)


def test_a_slow_stream_is_known_only_where_it_was_sampled() -> None:
    x = np.arange(4.0)[None, :, None] * [1.0, 2.0]
    x[0, 2, 1] = np.nan
    windows = Windows.from_arrays({"x": x}, [Modality("x", 2, 1.0)], duration_s=4.0)
    batch = MeasuredGrid(NetworkSettings(grid_hz=2.0)).fit(windows)(windows)
    assert batch.valid["x"][0].tolist() == [True, False] * 4
    lacks = batch.inputs["x"][0, ::2, 2:]
    assert lacks.tolist() == [[0, 0], [0, 0], [0, 1], [0, 0]]
    assert batch.inputs["x"][0, 4, 1] == 0.0


def test_steps_without_measurements_are_passed_over_in_order() -> None:
    steps = torch.tensor([[1, 0, 1, 0, 1], [1, 0, 0, 0, 1]], dtype=torch.bool)
    values = torch.arange(10.0).reshape(2, 5, 1)
    found, _, kept, time = taken(values, steps[..., None], steps)
    assert found[0, :, 0].tolist() == [0, 2, 4]
    assert found[1, :2, 0].tolist() == [5, 9]
    assert kept.tolist() == [[True, True, True], [True, True, False]]
    assert time[0].tolist() == [0, 2, 4]


def test_time_counts_from_the_measurement_before() -> None:
    known = torch.tensor([0, 1, 0, 0, 1], dtype=torch.bool)[None, :, None]
    time = torch.tensor([[0.0, 1.0, 3.0, 4.0, 9.0]])
    held, since = history(torch.tensor([7.0, 2, 7, 7, 5])[None, :, None], known, time)
    assert held.flatten().tolist() == [0, 2, 2, 2, 5]
    assert since.flatten().tolist() == [0, 1, 2, 3, 8]
