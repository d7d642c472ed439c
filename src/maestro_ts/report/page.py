"""The report: one HTML file that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from maestro_ts.atomic import write_text
from maestro_ts.evaluation.results import Results
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.report.blocks import Section
from maestro_ts.report.header import (
    Detail,
    Headline,
    details,
    headlines,
    notes,
    page_title,
    summary,
)
from maestro_ts.report.sections import sections
from maestro_ts.report.theme import DARK

__all__ = ["embedded_json", "render", "render_page", "write_report"]


def render(results: Results, sensors: SensorFile | None = None) -> str:
    """The page as text.

    Parameters
    ----------
    results : Results
    sensors : SensorFile, optional
        What the sensors are worth, where that was found out.

    Returns
    -------
    str
        HTML without a reference to anything outside itself.
    """
    return render_page(
        title=page_title(results),
        summary=summary(results),
        headlines=headlines(results),
        notes=notes(results),
        sections=sections(results, sensors),
        details=details(results),
        tree=asdict(results) | ({} if sensors is None else {"sensors": asdict(sensors)}),
    )


def render_page(
    *,
    title: str,
    summary: str,
    headlines: Sequence[Headline],
    notes: Sequence[str],
    sections: Sequence[Section],
    details: Sequence[Detail],
    tree: Any,
) -> str:
    """A page of any content; `tree` are the plain numbers behind it."""
    figures = {b.key: json.loads(b.figure.to_json()) for part in sections for b in part.blocks}
    return _template().render(
        title=title,
        summary=summary,
        headlines=headlines,
        notes=notes,
        sections=sections,
        details=details,
        results=embedded_json(tree),
        figures=embedded_json(figures),
        dark=embedded_json(DARK),
        # Nearly five megabytes: not for a page without figures.
        plotly=Markup(get_plotlyjs()) if figures else "",
    )


def write_report(results: Results, path: Path, sensors: SensorFile | None = None) -> None:
    """Write the page; the file is there whole or not at all."""
    write_text(path, render(results, sensors))


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
