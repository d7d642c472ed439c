"""What the documentation shows must run as it stands."""

import re
from pathlib import Path

import pytest

from maestro_ts.cli.main import app
from maestro_ts.recipe import known_keys

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_local_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_shown_exists(page):
    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    known |= {g.name for g in app.registered_groups}
    for command in re.findall(r"(?:^|`)maestro-ts ([a-z]+)", page.read_text(), flags=re.M):
        assert command in known, f"{page.name} shows maestro-ts {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_setting_named_exists(page):
    groups = {key.split(".")[0] for key in known_keys() if "." in key}
    for group, key in re.findall(
        r"`([a-z]+)\.(?!safetensors|yaml|json|onnx|py)([a-z_]+)`", page.read_text()
    ):
        if group in groups:
            assert f"{group}.{key}" in known_keys(), f"{page.name} names {group}.{key}"
