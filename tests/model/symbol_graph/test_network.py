"""Symbols made inside a graph are those of the front end, whatever is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from maestro_ts.contract.registry import build_network
from maestro_ts.errors import ConfigError
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.graph.members import graph_of
from maestro_ts.model.symbol_graph.network import SampleGraph
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

SCHEMA = Schema(
    [
        Modality("acc", 3, 32.0),
        Modality("gyro", 3, 32.0),
        Modality("age", 1, static=True),
        Modality("bvp", 1, 64.0),
        Modality("eda", 2, 4.0),
    ]
)
DURATION_S = 2.0
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("default", {"symbols.dictionary": 2}),
    ("paper", {}),
    ("tiny", {"symbols.min_share": 0.6, "symbols.dictionary": 1}),
    ("tiny", {"symbols.interpolate_hz": 32.0, "symbols.dictionary": 1, "symbols.course": True}),
    ("tiny", {"symbols.bin_s": 0.3, "symbols.course": True, "symbols.alphabet": 7}),
    ("tiny", {"symbols.views": ["level"], "symbols.summary": False}),
]
Arrays = dict[str, NDArray[np.float32]]


def arrays(n: int, seed: int) -> Arrays:
    """Walks with single losses, losses of a channel, gaps, whole absences and a flat channel."""
    rng = np.random.default_rng(seed)
    made = {}
    for m in SCHEMA:
        size = 1 if m.rate_hz is None else round(m.rate_hz * DURATION_S)
        values = rng.normal(size=(n, size, m.channels)) + 2 * rng.normal(size=(n, 1, m.channels))
        values += 0.3 * np.cumsum(rng.normal(size=values.shape), axis=1)
        values[rng.random((n, size)) < 0.05] = np.nan
        values[rng.random(values.shape) < 0.03] = np.nan
        for i, kind in enumerate(rng.integers(0, 8, n)):
            begin = rng.integers(size)
            if kind == 0:
                values[i] = np.nan
            elif kind == 1:
                values[i, :, 0] = np.nan
            elif kind == 2:
                values[i, :, -1] = 1.5
            elif kind == 3:
                values[i, begin:] = np.nan
            elif kind <= 5:
                values[i, begin : begin + size // 3] = np.nan
        made[m.name] = values.astype(np.float32)
    return made


def windows_of(given: Arrays, schema: Schema = SCHEMA, duration_s: float = DURATION_S) -> Windows:
    return Windows.from_arrays(given, schema, duration_s=duration_s)


def recipe_of(name: str, settings: Mapping[str, Any]) -> Recipe:
    small = {"model.width": 8, "model.heads": 2}
    return load_recipe(name).override({**small, **settings})


def made(recipe: Recipe, windows: Windows) -> tuple[SampleGraph, SymbolFrontEnd, torch.nn.Module]:
    torch.manual_seed(0)
    front_end = SymbolFrontEnd(recipe.symbols).fit(windows)
    network = build_network(front_end, 3, recipe).eval()
    duration_s = float(windows.duration_s[0])
    return SampleGraph(front_end.symbolizer, graph_of(network), duration_s), front_end, network


def check_symbols(graph: SampleGraph, front_end: SymbolFrontEnd, given: Arrays) -> None:
    batch = front_end(windows_of(given))
    expected = {f"symbols/{name}": symbols for name, symbols in batch.inputs.items()}
    expected |= {**batch.extras, "present": batch.present}
    found = graph.named(*(torch.from_numpy(given[name]) for name in SCHEMA.names))
    for name in graph.network.inputs:
        if name != "duration":
            assert found[name].dtype == expected[name].dtype, name
            assert torch.equal(found[name], expected[name]), name


@pytest.mark.parametrize(("recipe", "settings"), SETTINGS)
def test_symbols_and_logits_are_the_models(recipe: str, settings: dict[str, Any]) -> None:
    graph, front_end, network = made(recipe_of(recipe, settings), windows_of(arrays(24, 1)))
    given = arrays(48, 2)
    assert graph.inputs == tuple(f"samples/{name}" for name in SCHEMA.names)
    assert graph.shapes == {name: x.shape[1:] for name, x in given.items()}
    check_symbols(graph, front_end, given)
    with torch.no_grad():
        expected = network(front_end(windows_of(given))).logits
        found = graph(*(torch.from_numpy(given[name]) for name in SCHEMA.names))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert expected.std(dim=0).min() > 1e-3


GRAPH, FRONT_END, _ = made(recipe_of(*SETTINGS[0]), windows_of(arrays(24, 1)))


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(-100.0, 100.0))
def test_any_windows_give_the_front_ends_symbols(seed: int, scale: float, level: float) -> None:
    drawn = {n: (x * scale + level).astype(np.float32) for n, x in arrays(4, seed).items()}
    check_symbols(GRAPH, FRONT_END, drawn)


def test_modalities_that_are_alike_are_computed_together() -> None:
    assert [group.names for group in GRAPH.symbols] == [
        ("acc", "gyro"),
        ("age",),
        ("bvp",),
        ("eda",),
    ]


def one(rate_hz: float, durations: list[float], gap_s: float | None = None) -> Windows:
    """Windows of one sensor, whose samples come at its rate unless a gap is given."""
    rng = np.random.default_rng(0)
    sizes = [round(d * rate_hz if gap_s is None else d / gap_s) for d in durations]
    return Windows.from_arrays(
        {"acc": [rng.normal(size=(size, 1)) for size in sizes]},
        [Modality("acc", 1, rate_hz)],
        times=None if gap_s is None else {"acc": [np.arange(size) * gap_s for size in sizes]},
        duration_s=np.array(durations),
    )


def irregular() -> Windows:
    values = [np.arange(3.0)[:, None]] * 4
    return Windows.from_arrays(
        {"lab": values}, [Modality("lab", 1)], times={"lab": [[0.0, 0.5, 1.0]] * 4}, duration_s=2.0
    )


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        (one(32.0, [2.0] * 4 + [3.0]), "differ in length"),
        (one(32.0, [2.03] * 4), r"'acc'.*32 Hz for 2\.03 s are 64\.96 samples"),
        (one(32.0, [2.0] * 4, gap_s=0.1), r"32 Hz has no words.*every 0\.1 s"),
        (irregular(), r"'lab'.*irregular"),
    ],
)
def test_what_lies_on_no_grid_is_refused(windows: Windows, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        made(recipe_of("tiny", {"symbols.dictionary": 1}), windows)


def test_numbers_for_what_is_missing_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"symbols\.missing"):
        made(recipe_of("tiny", {"symbols.missing": "zero"}), one(32.0, [2.0] * 4))


def test_samples_nearly_at_the_grids_pace_are_taken() -> None:
    graph, *_ = made(recipe_of("tiny", {"symbols.dictionary": 1}), one(32.0, [2.0] * 4, 0.03))
    assert graph.shapes == {"acc": (64, 1)}
