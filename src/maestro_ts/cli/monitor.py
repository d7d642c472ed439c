"""``maestro-ts monitor RUN INPUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import Plain

__all__ = ["monitor"]


def monitor(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    input_: Annotated[Path, typer.Argument(metavar="INPUT", help="As in predict.")],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="A modality's name in the input and in the model: wrist_acc=acc."
        ),
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", help="File to write all figures to.")
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Say which sensors are stuck, saturated or on another scale, and what drifted."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import format_table
    from maestro_ts.experiments.monitor_job import (
        drift_rows,
        monitor_files,
        save_verdicts,
        verdict_rows,
    )
    from maestro_ts.signals.source import parse_renames

    with ConsoleProgress(no_progress) as progress:
        found = monitor_files(run, input_, progress.as_progress(), parse_renames(map_ or []))
    print(f"windows by verdict, of {len(found.windows)}")
    print(format_table(*verdict_rows(found)))
    print("\ndrift of symbols against training, all windows of a person together")
    print(format_table(*drift_rows(found)))
    if found.people > 1:
        print(
            f"\nBeyond the limit: further from training than each of its {found.people} people is "
            f"from the others.\nBy chance one new person in {found.people + 1} is, in each row."
        )
    else:
        print("\nNo limit: the training windows are of one person.")
    if json_ is not None:
        save_verdicts(found, json_)
        print(f"JSON: {json_}")
