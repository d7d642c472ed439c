"""``maestro-ts init PATH``: a draft of the schema of one's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["init"]


def init(
    path: Annotated[Path, typer.Argument(help="Folder or zip of sensor files (CSV, EDF, …).")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a schema.yaml.")] = False,
) -> None:
    """Write a draft of schema.yaml from what the files seem to hold, and say what was guessed."""
    from maestro_ts.signals.folder.draft import write_draft

    target, draft = write_draft(path, overwrite=overwrite)
    for title, points in (
        ("Understood", draft.understood),
        ("Guessed, please check", draft.guessed),
        ("Only you know", draft.open),
    ):
        if points:
            print(f"{title}:")
            for point in points:
                print(f"- {point}")
    print(f"\nDraft: {target}\nNext: maestro-ts inspect {path}")
