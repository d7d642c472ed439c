"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maestro_ts.signals.cut import WindowSpec

__all__ = [
    "FOLDER_VARIABLE",
    "Data",
    "Device",
    "Out",
    "Overwrite",
    "Plain",
    "Recipe",
    "Resume",
    "Set",
    "StepS",
    "Threads",
    "WindowS",
    "parse_windows",
]

FOLDER_VARIABLE = "MAESTRO_TS_DATA"  # the folder with the archives of published data sets

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
WindowS = Annotated[float | None, typer.Option(help="Window length in seconds.")]
StepS = Annotated[float | None, typer.Option(help="From one window to the next.")]


def parse_windows(window_s: float | None, step_s: float | None) -> WindowSpec | None:
    """``--window-s`` and ``--step-s`` → how to cut, None for the data set's own way."""
    from maestro_ts.errors import ConfigError
    from maestro_ts.signals.cut import WindowSpec

    if step_s is not None and window_s is None:
        raise ConfigError("--step-s is given without --window-s.", fix="Give both.")
    return None if window_s is None else WindowSpec(window_s, step_s)
