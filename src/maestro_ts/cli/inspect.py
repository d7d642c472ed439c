"""``maestro-ts inspect SOURCE``: what was understood, and what is suspicious. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_ts.cli.options import Data, DistrustScale, Plain

if TYPE_CHECKING:
    from maestro_ts.signals.inspect import Inspection

__all__ = ["inspect"]

SHOWN = 8  # refused files and the like


def inspect(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A folder or zip with a schema.yaml, or the name of a data set."
        ),
    ],
    data: Data = None,
    json_: Annotated[bool, typer.Option("--json", help="Print all findings as JSON.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="HTML page to write, with everything in it.")
    ] = None,
    distrust_scale: DistrustScale = False,
    no_progress: Plain = False,
) -> None:
    """Show modalities, rates, gaps, labels and whatever is suspicious, before training."""
    import json
    from dataclasses import asdict

    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.signals.distrust import distrusted
    from maestro_ts.signals.inspect import inspect as look
    from maestro_ts.signals.source import read_source

    with ConsoleProgress(no_progress) as progress:
        found = read_source(
            source,
            data,
            lambda a, b: progress.update("reading", a, b),
            raw=True,
            distrust=distrust_scale,
        )
        if told := distrusted(found.reading.recordings):
            progress.note(told)
        seen = look(
            found.card,
            found.reading,
            found.unused,
            lambda a, b: progress.update("looking", a, b),
        )
    if picture is not None:
        from maestro_ts.report.inspection import write_inspection

        write_inspection(seen, found.reading.recordings, picture)
    if json_:
        print(json.dumps(asdict(seen), ensure_ascii=False, allow_nan=False, indent=1))
        return
    print(text_of(seen))
    if picture is not None:
        print(f"\nPicture: {picture}")


def text_of(seen: Inspection) -> str:
    """The whole as text."""
    from maestro_ts.signals.inspect.wording import describe

    parts = [
        f"{seen.title}: {seen.recordings} recordings of {seen.subjects} subjects, "
        f"{seen.hours:.2f} h, clock {seen.clock}",
        *_tables(seen),
        *_lists(seen),
        describe(seen),
    ]
    return "\n\n".join(part for part in parts if part)


def _tables(seen: Inspection) -> list[str]:
    from maestro_ts.cli.tables import format_table
    from maestro_ts.signals.inspect.wording import (
        class_rows,
        dependence_rows,
        finding_rows,
        modality_rows,
    )

    found = []
    for head, rows in (
        modality_rows(seen),
        class_rows(seen),
        dependence_rows(seen),
        finding_rows(seen),
    ):
        if rows:
            found.append(format_table(head, rows))
    return found


def _lists(seen: Inspection) -> list[str]:
    return [
        _listed("Not read", [f"{where}: {why}" for where, why in seen.refused]),
        _listed("Said by the reader", [f"{where}: {note}" for where, note in seen.notes]),
        _listed("Files that the schema does not name", seen.unused),
    ]


def _listed(title: str, points: Sequence[str]) -> str:
    if not points:
        return ""
    more = len(points) - SHOWN
    lines = [f"- {p}" for p in points[:SHOWN]] + ([f"- … and {more} more"] if more > 0 else [])
    return "\n".join([f"{title}:", *lines])
