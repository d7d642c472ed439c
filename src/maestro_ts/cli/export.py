"""``maestro-ts export RUN``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


class ExportFormat(StrEnum):
    """Which runtime executes the file."""

    onnx = "onnx"
    torch = "torch"


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    format: Annotated[
        ExportFormat, typer.Option(help="onnx (extra export), or torch (.pt2).")
    ] = ExportFormat.onnx,
    int8: Annotated[bool, typer.Option("--int8", help="Weights of 8 bits; onnx only.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an older export.")
    ] = False,
) -> None:
    """Write the model for another runtime, checked on drawn windows with every kind of absence."""
    from maestro_ts.experiments.export_job import export_and_time

    done = export_and_time(run, out, format.value, int8=int8, overwrite=overwrite)
    same = done.agreement
    median, low, high = (
        1000 * s for s in (done.window.median_s, done.window.low_s, done.window.high_s)
    )
    print(f"{done.file}: {done.bytes / 1e6:.2f} MB")
    print(
        f"Largest difference of a logit from the model's: {same.largest_difference:.2g} "
        f"over {same.windows} drawn windows; same class in {same.same_class:.1%}."
    )
    print(
        f"One window, symbols to logits: {median:.3g} ms [{low:.3g}, {high:.3g}], "
        f"{done.threads} thread{'s' if done.threads > 1 else ''}."
    )
