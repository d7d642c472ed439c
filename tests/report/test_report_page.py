"""The page as text: nothing from outside, nothing that escapes, nothing empty."""

import json
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from maestro_ts.evaluation.results import Results
from maestro_ts.report.page import embedded_json, render, write_report
from maestro_ts.report.theme import DARK

LOADING = (
    "src",
    "href",
    "srcset",
    "data",
    "action",
    "formaction",
    "poster",
    "background",
    "xlink:href",
)
PLOTLY = "the plotly script"
EVERY = ["few", "many", "least", "hostile"]


class Page(HTMLParser):
    """Elements with their attributes, and the text inside those that matter here."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.scripts: dict[str, str] = {}
        self._open: list[str] = []
        self._script = ""
        # Five megabytes of minified script would only take time here.
        self.feed(text.replace(get_plotlyjs(), PLOTLY))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {k: v or "" for k, v in attrs}
        self.elements.append((tag, found))
        self._open.append(tag)
        if tag == "script":
            self._script = found.get("id", f"script-{len(self.scripts)}")
            self.scripts[self._script] = ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        if self._open[-1] == "script":
            self.scripts[self._script] += data
        else:
            self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def with_attribute(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.elements if name in attrs]


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Results:
    found: Results = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("results", EVERY, indirect=True)
def test_nothing_is_loaded_from_anywhere(results: Results) -> None:
    page = Page(render(results))
    for tag, attrs in page.elements:
        for name in LOADING:
            value = attrs.get(name, "#")
            assert value.startswith(("#", "data:,")), (tag, name, value)
    styles = " ".join(page.texts["style"]) + " ".join(page.with_attribute("style"))
    assert "@import" not in styles
    assert "url(" not in styles
    own = "".join(text for text in page.scripts.values() if text != PLOTLY)
    assert not re.search(r"\bfetch\(|XMLHttpRequest|importScripts|import\(", own)
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))["content"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize(("name", "times"), [("few", 1), ("many", 1), ("hostile", 1), ("least", 0)])
def test_plotly_is_there_once_or_not_at_all(
    name: str, times: int, request: pytest.FixtureRequest
) -> None:
    page = render(request.getfixturevalue(name))
    assert page.count(get_plotlyjs()) == times
    assert len(page) < 6_000_000
    assert "</script" not in get_plotlyjs()


@pytest.mark.parametrize("results", EVERY, indirect=True)
def test_the_numbers_come_back(results: Results) -> None:
    tree = json.loads(Page(render(results)).scripts["results"])
    assert tree == json.loads(json.dumps(asdict(results)))
    assert asdict(Results(**tree)) == tree


def test_hostile_text_stays_text(few: Results, hostile: Results) -> None:
    page, plain = Page(render(hostile)), Page(render(few))
    assert page.texts["h1"] == [hostile.about["title"]]
    assert len(page.scripts) == len(plain.scripts)
    assert page.all("img") == page.all("b") == []
    assert hostile.about["notes"][0] in page.texts["li"]
    assert {t for t, _ in page.elements} <= {t for t, _ in plain.elements}


def test_hostile_text_stays_text_in_figures(hostile: Results) -> None:
    """Plotly reads a small HTML in labels; a class name must come out as it is."""
    figures = Page(render(hostile)).scripts["figures"]
    assert "<" not in figures
    labels = json.loads(figures)["confusion"]["layout"]["xaxis"]["ticktext"]
    assert labels[1] == "a class with<br>spaces"
    assert labels[2] == "&lt;!-- comment"


def test_embedded_json_cannot_end_its_element() -> None:
    tree = {"</script>": ["<!--", "<script>", "&amp;", "\u2028", "é"]}
    text = embedded_json(tree)
    assert "<" not in text
    assert json.loads(text) == tree


@pytest.mark.parametrize("results", EVERY, indirect=True)
def test_figures_have_words_and_links_have_ends(results: Results) -> None:
    page = Page(render(results))
    keys = page.with_attribute("data-figure")
    assert len(set(keys)) == len(keys)
    assert set(keys) == set(json.loads(page.scripts["figures"]))
    drawn = [a for a in page.all("div") if "data-figure" in a]
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in drawn)
    captions = page.texts.get("figcaption", [])
    assert len(captions) == len(keys)
    assert all(len(c) > 20 for c in captions)
    ids = page.with_attribute("id")
    assert len(set(ids)) == len(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)


EMPTY: dict[str, Any] = {"scores": [], "curve": []}


@pytest.mark.parametrize(
    ("without", "section"),
    [
        (EMPTY, "missing"),
        (EMPTY, "patterns"),
        ({"confusions": []}, "confusions"),
        ({"subjects": []}, "subjects"),
        ({"explain": []}, "inside"),
        ({"example": {}}, "signal"),
        ({"training": []}, "learning"),
        ({"cost": {}}, "cost"),
    ],
)
def test_no_data_no_heading(few: Results, without: dict[str, Any], section: str) -> None:
    assert section in Page(render(few)).with_attribute("id")
    left = Page(render(replace(few, **without)))
    assert section not in left.with_attribute("id")
    assert f"#{section}" not in left.with_attribute("href")


def test_the_least_results_make_a_page(least: Results) -> None:
    page = Page(render(least))
    assert page.texts["h1"] == ["tiny"]
    assert page.with_attribute("data-figure") == []
    assert "0.500" in page.texts["dd"]
    bare = Page(render(Results(about={}, classes=[], modalities=[])))
    assert bare.all("section") == []


@pytest.mark.parametrize("results", ["few", "many"], indirect=True)
def test_every_colour_has_a_dark_partner(results: Results) -> None:
    figures = json.loads(Page(render(results)).scripts["figures"])
    seen: set[str] = set()

    def walk(tree: Any, key: str = "") -> None:
        if isinstance(tree, dict):
            for k, v in tree.items():
                walk(v, k)
        elif isinstance(tree, list) and key != "colorscale":
            for v in tree:
                walk(v, key)
        elif isinstance(tree, str) and re.fullmatch(r"#[0-9a-fA-F]{6}|rgba\(.*0\.18\)", tree):
            seen.add(tree)

    walk(figures)
    assert len(seen) > 5
    assert seen <= set(DARK)
    # One replacement must not feed the next: a page may be turned dark from light only.
    assert not set(DARK.values()) & set(DARK)


def test_write_report(tmp_path: Path, least: Results) -> None:
    target = tmp_path / "new" / "report.html"
    write_report(least, target)
    write_report(least, target)
    assert target.read_text("utf-8") == render(least)
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]
