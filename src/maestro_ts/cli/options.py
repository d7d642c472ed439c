"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Data", "Device", "Out", "Overwrite", "Plain", "Recipe", "Resume", "Set", "Threads"]

Data = Annotated[Path | None, typer.Option(help="Archive as downloaded, or the unpacked folder.")]
Out = Annotated[Path, typer.Option(help="Run folder to write.")]
Recipe = Annotated[str, typer.Option(help="default, paper, tiny, or a YAML file.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: model.heads=4. Repeatable.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of PyTorch.")]
Plain = Annotated[bool, typer.Option("--no-progress", help="Plain lines instead of a bar.")]
