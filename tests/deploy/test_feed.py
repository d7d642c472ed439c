"""Windows become the inputs of a file: samples in their places on the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.contract.registry import build_network
from maestro_ts.deploy.feed import feed
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.graph.members import graph_of
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

SENSORS = [Modality("acc", 2, 4.0), Modality("age", 1, static=True)]
SIZE = 8
NAN = np.nan


def windows_of(times: Sequence[Sequence[float]], values: Sequence[Sequence[float]]) -> Windows:
    """Windows of 2 s; the second channel is ten times the first."""
    acc = [np.stack([row, 10 * np.asarray(row)], axis=1) for row in map(np.asarray, values)]
    age = np.full((len(values), 1), 40.0)
    return Windows.from_arrays(
        {"acc": acc, "age": age}, SENSORS, times={"acc": times}, duration_s=2.0
    )


def fed(windows: Windows) -> NDArray[np.float32]:
    """The first channel of what a file is given."""
    regular = np.random.default_rng(0).normal(size=(4, SIZE, 2))
    training = Windows.from_arrays(
        {"acc": regular, "age": np.ones((4, 1))}, SENSORS, duration_s=2.0
    )
    recipe = load_recipe("tiny")
    front_end = SymbolFrontEnd(recipe.symbols).fit(training)
    graph = graph_of(build_network(front_end, 3, recipe).eval())
    acc, age = feed(SampleGraph(front_end.symbolizer, graph, 2.0), front_end)(windows)
    assert (acc.dtype, acc.shape, age.shape) == (
        torch.float32,
        (len(windows), SIZE, 2),
        (len(windows), 1, 1),
    )
    assert (age == 40.0).all()
    assert torch.equal(acc[..., 1].isnan(), acc[..., 0].isnan())
    torch.testing.assert_close(acc[..., 1], 10 * acc[..., 0], equal_nan=True)
    return np.asarray(acc[..., 0].numpy())


def test_samples_on_the_grid_stay_where_they_are() -> None:
    whole = np.arange(1.0, 9.0)
    found = fed(windows_of([np.arange(8) / 4], [whole]))
    np.testing.assert_array_equal(found, [whole])


def test_where_there_is_no_sample_nothing_is_given() -> None:
    found = fed(windows_of([[0.5, 0.75, 1.5], []], [[1.0, 2.0, 3.0], []]))
    np.testing.assert_array_equal(found, [[NAN, NAN, 1.0, 2.0, NAN, NAN, 3.0, NAN], [NAN] * SIZE])


def test_a_stream_between_two_places_moves_as_a_whole() -> None:
    late = [0.2 + i / 4 for i in range(7)]
    found = fed(windows_of([late], [range(1, 8)]))
    np.testing.assert_array_equal(found, [[1, 2, 3, 4, 5, 6, 7, NAN]])


def test_times_that_jitter_take_the_nearest_places() -> None:
    found = fed(windows_of([[0.02, 0.24, 0.55, 0.71, 1.31]], [[1.0, 2.0, 3.0, 4.0, 5.0]]))
    np.testing.assert_array_equal(found, [[1, 2, 3, 4, NAN, 5, NAN, NAN]])


def test_symbols_are_as_the_front_end_makes_them() -> None:
    values = np.random.default_rng(0).normal(size=(4, SIZE, 2))
    windows = Windows.from_arrays({"acc": values, "age": np.ones((4, 1))}, SENSORS, duration_s=2.0)
    recipe = load_recipe("tiny")
    front_end = SymbolFrontEnd(recipe.symbols).fit(windows)
    graph = graph_of(build_network(front_end, 3, recipe).eval())
    found, expected = feed(graph, front_end)(windows), graph.arguments(front_end(windows))
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
