"""The page of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.report.blocks import Section
from maestro_ts.report.experiment_tables import experiment_tables
from maestro_ts.report.page import render_page

__all__ = ["render_experiment", "write_experiment"]


def write_experiment(summary: dict[str, Any], path: Path) -> None:
    """Write the page; the file is there whole or not at all."""
    write_text(path, render_experiment(summary))


def render_experiment(summary: dict[str, Any]) -> str:
    """The page as text."""
    return render_page(
        title=f"{summary['title']}: {summary['dataset']['title']}",
        summary=summary["question"],
        headlines=[],
        notes=summary["notes"],
        sections=[Section("tables", "Tables", tables=experiment_tables(summary))],
        details=[],
        tree=summary,
    )
