"""The report: one HTML file that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from maestro_ts.atomic import write_text
from maestro_ts.evaluation.results import Results
from maestro_ts.report.header import details, headlines, notes, page_title, summary
from maestro_ts.report.sections import sections
from maestro_ts.report.theme import DARK

__all__ = ["embedded_json", "render", "write_report"]


def render(results: Results) -> str:
    """The page as text.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        HTML without a reference to anything outside itself.
    """
    parts = sections(results)
    figures = {b.key: json.loads(b.figure.to_json()) for part in parts for b in part.blocks}
    return _template().render(
        title=page_title(results),
        summary=summary(results),
        headlines=headlines(results),
        notes=notes(results),
        sections=parts,
        details=details(results),
        results=embedded_json(asdict(results)),
        figures=embedded_json(figures),
        dark=embedded_json(DARK),
        # Nearly five megabytes: not for a page without figures.
        plotly=Markup(get_plotlyjs()) if figures else "",
    )


def write_report(results: Results, path: Path) -> None:
    """Write the page; the file is there whole or not at all."""
    write_text(path, render(results))


def embedded_json(tree: Any) -> Markup:
    """JSON for a script element: no ``<``, so neither ``</script`` nor ``<!--`` can end it."""
    text = json.dumps(tree, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _template() -> Template:
    source = resources.files("maestro_ts.report").joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)
