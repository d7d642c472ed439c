"""``maestro-ts sensors RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from maestro_ts.cli.options import Data, Plain

__all__ = ["sensors"]


def sensors(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    data: Data = None,
    by: Annotated[
        str | None,
        typer.Option(help="device (what fails together) or modality; both if not given."),
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option(help="YAML file: `unit: mW` and `costs:` with `name: number` lines."),
    ] = None,
    metric: Annotated[str, typer.Option(help="macro-f1 or auroc.")] = "macro-f1",
    permutations: Annotated[
        int, typer.Option(help="Orders sampled where there are more than twelve.")
    ] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    json_: Annotated[
        Path | None, typer.Option("--json", help="Another file to write all figures to.")
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Value the sensors of a run on its test subjects: if one fails, on average, for its cost."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.sensors_job import value_run

    with ConsoleProgress(no_progress) as progress:
        found = value_run(
            run,
            data,
            by=by,
            costs=costs,
            metric=metric.replace("-", "_"),
            permutations=permutations,
            seed=seed,
            progress=progress.as_progress(),
        )
    print("\n\n".join(part for value in found.values for part in _tables(value)))
    print(f"\nReport: {run / 'report.html'}")
    if json_ is not None:
        found.save(json_)
        print(f"JSON: {json_}")


def _tables(value: dict[str, Any]) -> list[str]:
    from maestro_ts.cli.tables import format_table
    from maestro_ts.report.sensor_tables import (
        front_rows,
        pair_rows,
        value_facts,
        worth_rows,
    )

    facts = "\n".join(f"{label}: {text}" for label, text in value_facts(value))
    rows = (worth_rows(value), pair_rows(value), front_rows(value))
    return [facts, *(format_table(*table) for table in rows if table[1])]
