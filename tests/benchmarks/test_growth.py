"""What a sweep asks for, what it leaves out and says, and what its figure shows of it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest

from growth import SIDES, SWEEPS, Point, Points, fill, load, points_of
from growth_figure import Line, draw
from sides import Side

SVG = "{http://www.w3.org/2000/svg}"


class Machine:
    """Time in proportion to the tokens that are there; memory of dense attention grows faster."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Side]] = []

    def __call__(self, sides: dict[str, Side]) -> dict[str, Point]:
        self.asked += sides.items()
        return {name: self.point(side) for name, side in sides.items()}

    def point(self, side: Side) -> Point:
        there = side.modalities - (side.absent if side.recipe else 0)
        seconds = 1e-5 * side.batch * there * side.tokens
        dense = side.settings.get("model.attention") == "dense"
        memory = 0.02 * side.batch * there * side.tokens * (side.tokens / 128 if dense else 1)
        return {"train_s": [seconds] * 3, "infer_s": [seconds / 3] * 3, "memory_mb": memory}


@pytest.fixture
def filled() -> tuple[Points, Machine]:
    points: Points = {}
    machine = Machine()
    list(fill(points, machine))
    return points, machine


def test_sweeps_ask_each_size_once_with_all_sides(filled: tuple[Points, Machine]) -> None:
    points, machine = filled
    sizes = {size for sweep in SWEEPS.values() for size in sweep.sizes}
    assert set(points) == {(size, name) for size in sizes for name in SIDES}
    assert len(machine.asked) + sum("skipped" in p for p in points.values()) == len(points)
    for sweep in SWEEPS.values():
        assert all(sweep.x(a) < sweep.x(b) for a, b in pairwise(sweep.sizes))


def test_a_line_ends_where_its_memory_is_expected_above_the_limit(
    filled: tuple[Points, Machine],
) -> None:
    points, machine = filled
    skipped = {
        (size.tokens, name): p["skipped"] for (size, name), p in points.items() if len(p) == 1
    }
    assert skipped == {(1024, "dense"): "13107 MB expected from the two before, limit 6000"}
    assert ("dense", 1024) not in [(name, side.tokens) for name, side in machine.asked]


def test_what_was_measured_in_the_same_way_is_not_measured_again(
    filled: tuple[Points, Machine], tmp_path: Path
) -> None:
    points, machine = filled
    told = {"rounds": 3}
    path = tmp_path / "growth.json"
    path.write_text(json.dumps(told | written(points)))
    again = load(path, told)
    assert again == points
    lost = (SWEEPS["batch"].sizes[1], "published")
    del again[lost]
    machine.asked.clear()
    assert list(fill(again, machine)) == [lost[0]]
    assert [(name, side.batch) for name, side in machine.asked] == [("published", 4)]
    assert load(path, {"rounds": 5}) == {}


def test_the_figure_has_every_measured_point_and_ends_a_line_where_it_was_skipped(
    filled: tuple[Points, Machine],
) -> None:
    points, _ = filled
    picture = ElementTree.fromstring(draw({"machine": "x, 2 threads", **written(points)}))
    drawn = [p for p in picture.iter(f"{SVG}polyline") if p.get("class") == "line dense"]
    assert [len(p.get("points", "").split()) for p in drawn] == [5, 5, 5, 6] * 3
    places = [tuple(map(float, x.split(","))) for x in drawn[0].get("points", "").split()]
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(places))  # larger is further up
    slopes = [t.text for t in picture.iter(f"{SVG}text") if t.get("class") in SIDES]
    assert slopes == ["1.0"] * 6 + ["2.0", "1.0", "1.0"]


def test_a_slope_is_the_power_of_the_last_three_points() -> None:
    line = Line("ours", [1, 2, 4, 8], [[0, v, 0] for v in (9.0, 4.0, 16.0, 64.0)])
    assert line.slope() == pytest.approx(2)


def written(points: Points) -> dict[str, list[Point]]:
    """As the script writes them."""
    rows = [{"size": vars(size), "side": name, **p} for (size, name), p in points.items()]
    assert points_of({"points": rows}) == points
    return {"points": rows}
