"""``maestro-ts report RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write the report of a run anew from its results."""
    from maestro_ts.evaluation.results import Results
    from maestro_ts.report.page import write_report

    write_report(Results.load(run / "results.json"), run / "report.html")
    print(f"Report: {run / 'report.html'}")
