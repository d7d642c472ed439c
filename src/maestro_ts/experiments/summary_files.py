"""The files of an experiment's summary: numbers, tables in Markdown and LaTeX, a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.report.experiment_page import write_experiment
from maestro_ts.report.experiment_tables import experiment_tables
from maestro_ts.report.table_text import latex, markdown

__all__ = ["write_summary"]


def write_summary(folder: Path, summary: dict[str, Any], borrowed: bool) -> None:
    """Write them beside the cells; of an experiment with borrowed cells under its own name."""
    name = str(summary["experiment"])
    files = (
        [f"{name}.json", f"{name}.md", f"{name}.tex", f"{name}.html"]
        if borrowed
        else ["summary.json", "table.md", "table.tex", "report.html"]
    )
    tables = experiment_tables(summary)
    numbers, text, printed, page = (folder / file for file in files)
    write_text(numbers, json.dumps(summary, indent=1, allow_nan=False) + "\n")
    write_text(text, markdown(summary, tables))
    write_text(printed, latex(summary, tables))
    write_experiment(summary, page)
