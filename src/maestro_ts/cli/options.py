"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from maestro_ts.signals.window_spec import LabelRule, Period, WindowChanges

__all__ = [
    "FOLDER_VARIABLE",
    "BaselineS",
    "Data",
    "Device",
    "DistrustScale",
    "LabelledBy",
    "MinCoverage",
    "MinInside",
    "Out",
    "Overwrite",
    "Plain",
    "Purity",
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
DistrustScale = Annotated[
    bool,
    typer.Option("--distrust-scale", help="Take stretches on another scale as missing."),
]
Plain = Annotated[bool, typer.Option("--no-progress", help="Plain lines instead of a bar.")]
WindowS = Annotated[float | None, typer.Option(help="Window length in seconds.")]
StepS = Annotated[float | None, typer.Option(help="From one window to the next.")]
LabelledBy = Annotated[
    str | None,
    typer.Option("--label-rule", help="A window's label: inside, majority, start or end."),
]
Purity = Annotated[
    float | None, typer.Option(help="Share of a window that the majority's label covers, 0.5 to 1.")
]
MinInside = Annotated[
    float | None, typer.Option(help="Share of a window that must lie in its recording.")
]
MinCoverage = Annotated[
    float | None,
    typer.Option(help="Leave a window out if every modality has less of its samples, 0 to 1."),
]
BaselineS = Annotated[
    str | None,
    typer.Option(
        help="Centre and scale each recording's channels by its first seconds, or `session`."
    ),
]


def parse_windows(
    window_s: float | None,
    step_s: float | None,
    label_rule: str | None,
    purity: float | None,
    min_inside: float | None,
    min_coverage: float | None,
    baseline_s: str | None,
) -> WindowChanges:
    """What the options say of the windows; the rest stays as the data set has it."""
    from maestro_ts.errors import ConfigError
    from maestro_ts.signals.window_spec import WindowChanges

    if step_s is not None and window_s is None:
        raise ConfigError("--step-s is given without --window-s.", fix="Give both.")
    return WindowChanges(
        duration_s=window_s,
        step_s=step_s,
        label_rule=cast("LabelRule | None", label_rule),  # refused by name where it is used
        purity=purity,
        min_inside=min_inside,
        min_coverage=min_coverage,
        baseline_s=None if baseline_s is None else _parse_period(baseline_s),
    )


def _parse_period(text: str) -> Period:
    from maestro_ts.errors import ConfigError

    if text == "session":
        return "session"
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(
            f"--baseline-s takes seconds or session, got {text!r}.", fix="Example: 180"
        ) from error
