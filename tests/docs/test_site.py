"""The site: pictures are the code's, every public name is there, no other server is asked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import ROOT

import maestro_ts

DOCS = ROOT / "docs"


def load(folder: Path, module: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(folder)
    return __import__(module)


def test_the_pictures_are_what_the_code_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = load(DOCS / "pictures", "draw", monkeypatch).PICTURES
    assert {p.name for p in (DOCS / "pictures").glob("*.svg")} == set(pictures)
    for name, draw in pictures.items():
        kept = (DOCS / "pictures" / name).read_text("utf-8")
        assert draw() == kept, f"{name} is out of date: python docs/pictures/draw.py"
        assert f"(pictures/{name})" in (DOCS / "how-it-works.md").read_text("utf-8")


def test_every_public_name_is_in_the_reference() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    for name in set(maestro_ts.__all__) - {"__version__"}:
        assert re.search(rf":: {name}$", page, flags=re.M), f"docs/api.md lacks {name}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", '<script async src="https://cdn.example/x.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//cdn.example/x.css">'),
        ("a.html", "<img alt='x' src='http://cdn.example/x.png'>"),
        ("a.html", "<style>@import 'https://cdn.example/x.css';</style>"),
        ("deep/a.css", "@font-face{src:url(https://cdn.example/x.woff2)}"),
    ],
)
def test_what_would_ask_another_server_is_found(
    name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = load(DOCS, "offline", monkeypatch)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    (found,) = offline.foreign_requests(tmp_path)
    assert found.startswith(f"{name}: ")
    assert "cdn.example/x" in found


def test_what_asks_nothing_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline = load(DOCS, "offline", monkeypatch)
    (tmp_path / "a.html").write_text(
        '<a href="https://arxiv.org/abs/2509.25278">paper</a><script src="../own.js"></script>'
        '<link rel="stylesheet" href="own.css"><link rel="canonical" href="https://x.example/">'
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
    )
    (tmp_path / "a.css").write_text("@font-face{src:url(fonts/own.woff2)}")
    assert offline.foreign_requests(tmp_path) == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    words = ["-W", "--keep-going", "-q", "-c", str(DOCS), "-d", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(ROOT), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for page in ("index.html", "docs/start.html", "docs/api.html"):
        assert (tmp_path / "site" / page).is_file()
