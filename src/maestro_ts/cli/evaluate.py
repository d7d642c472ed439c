"""``maestro-ts evaluate RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import Data, Plain

__all__ = ["evaluate"]


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    data: Data = None,
    rates: Annotated[str, typer.Option(help="Missing rates.")] = "0,.1,.2,.3,.4,.6,.8",
    mode: Annotated[
        list[str] | None, typer.Option(help="modality, device, segment or points. Repeatable.")
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Test a finished run on its test subjects with sensors missing; rewrite its report."""
    from maestro_ts.cli.fit import parse_rates
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import results_table
    from maestro_ts.experiments.main_job import retest

    with ConsoleProgress(no_progress) as progress:
        results = retest(
            run, data, parse_rates(rates), tuple(mode or ("modality",)), progress.as_progress()
        )
    print(results_table(results))
    print(f"\nReport: {run / 'report.html'}")
