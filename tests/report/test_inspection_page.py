"""The page of inspect: whole in itself, hostile names stay text, colours have dark partners."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from maestro_ts.report.inspection import render_inspection, write_inspection
from maestro_ts.report.theme import DARK
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.inspect import Inspection, inspect
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

HOSTILE = "<b>x</b></script><!--"


def look(name: str = "walk", faults: bool = True) -> tuple[Inspection, list[Recording]]:
    rng = np.random.default_rng(0)
    recordings = []
    for i in range(40):
        acc = (np.array([0, 1, 0]) + rng.normal(0, 0.01, (4000, 3))).astype(np.float32)
        temp = (33 + rng.normal(0, 0.1, (80, 1))).astype(np.float32)
        if faults and i == 3:
            acc[:900] /= 4
            temp[5] = 382
        streams = {"acc": Stream(acc, 200.0), "temp": Stream(temp, 4.0)}
        if faults and i % 2:
            del streams["acc"]
            if i == 3:
                streams["acc"] = Stream(acc, 200.0)
        label = name if i % 2 else "fall"
        recordings.append(
            Recording(
                streams, subject=f"s{i % 4}", source=f"{name}-{i}", labels=(Interval(0, 20, label),)
            )
        )
    schema = Schema([Modality("acc", 3, 200.0, "g"), Modality("temp", 1, 4.0, "degC")])
    card = Card("made", f"Made {name}", "", schema, (name, "fall"), WindowSpec(), "", "", "", "", 4)
    return inspect(card, Reading(recordings, [Refusal("a.csv:3", name)]), ["more.csv"]), recordings


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.feed(text.replace(get_plotlyjs(), ""))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))


def scripts(page: str, key: str) -> dict:
    found = re.search(rf'<script type="application/json" id="{key}">(.*?)</script>', page, re.S)
    assert found
    tree: dict = json.loads(found[1])
    return tree


@pytest.fixture(scope="module")
def page() -> str:
    return render_inspection(*look())


def test_the_page_holds_what_it_shows(page: str) -> None:
    seen, _ = look()
    assert scripts(page, "results") == json.loads(json.dumps(asdict(seen)))
    assert set(scripts(page, "figures")) == {"streams", "absence"}
    assert "default-src 'none'" in page
    for word in (
        "unit-change",
        "the farthest 382",
        "absence-tells",
        "Cramér",
        "a.csv:3",
        "more.csv",
    ):
        assert word in page.replace(get_plotlyjs(), "")


def test_a_long_stream_is_thinned_and_its_spikes_stay(page: str) -> None:
    traces = scripts(page, "figures")["streams"]["data"]
    assert all(len(t["x"]) <= 2001 for t in traces)
    assert max(y for t in traces for y in t["y"] if y is not None) == 382


def test_no_line_is_drawn_across_a_gap() -> None:
    times = np.arange(200) / 10 + np.where(np.arange(200) < 90, 0, 5)
    values = np.random.default_rng(0).normal(size=(200, 1)).astype(np.float32)
    streams = {"acc": Stream(values, 10.0, times)}
    schema = Schema([Modality("acc", 1, 10.0)])
    card = Card("made", "Made", "", schema, (), WindowSpec(), "", "", "", "", 1)
    recordings = [Recording(streams, subject="s", source="r")]
    page = render_inspection(inspect(card, Reading(recordings)), recordings)
    (trace,) = scripts(page, "figures")["streams"]["data"]
    assert trace["x"].index(None) == trace["y"].index(None) == 90
    assert len(trace["x"]) == 201


def test_hostile_names_stay_text() -> None:
    page, plain = (Elements(render_inspection(*look(name))) for name in (HOSTILE, "walk"))
    assert page.tags == plain.tags


def test_nothing_wrong_makes_a_page_without_figures() -> None:
    page = render_inspection(*look(faults=False))
    assert "Nothing suspicious was found." in page
    assert get_plotlyjs() not in page
    assert 'id="streams"' not in page


def test_every_colour_has_a_dark_partner(page: str) -> None:
    figures = json.dumps(scripts(page, "figures"))
    seen = set(re.findall(r'"(#[0-9a-fA-F]{6})"', re.sub(r'"colorscale": \[.*?\]\]', "", figures)))
    assert len(seen) > 3
    assert seen <= set(DARK)


def test_it_is_written_whole(tmp_path: Path) -> None:
    write_inspection(*look(faults=False), tmp_path / "new" / "look.html")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["look.html"]
