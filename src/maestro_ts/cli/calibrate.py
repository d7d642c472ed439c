"""``maestro-ts calibrate RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import Data, Plain

__all__ = ["calibrate"]


def calibrate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    data: Data = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Folds of the training subjects, a training each. "
            "Without it: the validation subjects where there are some, else 3 folds.",
        ),
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Make a run's probabilities honest and its doubts known; test it anew."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import format_table
    from maestro_ts.experiments.calibration_job import calibrate_files
    from maestro_ts.report.calibration_tables import (
        calibration_facts,
        coverage_rows,
        error_rows,
    )

    with ConsoleProgress(no_progress) as progress:
        results = calibrate_files(run, data, folds=folds, progress=progress.as_progress())
    found = results.calibration
    print("\n".join(f"{label}: {text}" for label, text in calibration_facts(found)))
    for head, rows in (error_rows(found), coverage_rows(found)):
        if rows:
            print(f"\n{format_table(head, rows)}")
    print(f"\nReport: {run / 'report.html'}")
