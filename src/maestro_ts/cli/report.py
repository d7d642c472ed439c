"""``maestro-ts report RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write the report of a run anew from its results."""
    from maestro_ts.evaluation.results import Results
    from maestro_ts.evaluation.sensor_file import SensorFile
    from maestro_ts.report.page import write_report

    results, sensors = Results.load(run / "results.json"), SensorFile.load(run / "sensors.json")
    write_report(results, run / "report.html", sensors)
    print(f"Report: {run / 'report.html'}")
