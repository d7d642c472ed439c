"""``maestro-ts export RUN``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_ts.cli.options import Plain

if TYPE_CHECKING:
    from maestro_ts.experiments.export_accuracy import AccuracyRow

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
    samples: Annotated[
        bool, typer.Option("--samples", help="The file takes samples and makes symbols itself.")
    ] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Weights of 8 bits; onnx only.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an older export.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="The run's data: test model and file on its test subjects."),
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Write the model for another runtime, checked on drawn windows with every kind of absence."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.export_job import export_and_time

    with ConsoleProgress(no_progress) as progress:
        done = export_and_time(
            run,
            out,
            format.value,
            samples=samples,
            int8=int8,
            overwrite=overwrite,
            data=data,
            progress=progress.as_progress(),
        )
    same = done.agreement
    median, low, high = (
        1000 * s for s in (done.window.median_s, done.window.low_s, done.window.high_s)
    )
    print(f"{done.file}: {done.bytes / 1e6:.2f} MB")
    print(
        f"Largest difference of a logit from the model's: {same.largest_difference:.2g} "
        f"over {same.windows} drawn windows; same class in {same.same_class:.1%}."
    )
    taken = "samples" if samples else "symbols"
    print(
        f"One window, {taken} to logits: {median:.3g} ms [{low:.3g}, {high:.3g}], "
        f"{done.threads} thread{'s' if done.threads > 1 else ''}."
    )
    if done.accuracy:
        print(f"\n{_accuracy_table(done.accuracy)}")


def _accuracy_table(rows: list[AccuracyRow]) -> str:
    from maestro_ts.cli.tables import format_table

    cells = [
        [
            f"{r.rate:.0%}",
            *(f"{value:.3f}" for value in (*r.accuracy, *r.macro_f1)),
            f"{r.same_class:.1%}",
            f"{r.largest_difference:.2g}",
        ]
        for r in rows
    ]
    header = [
        "missing",
        "accuracy",
        "of the file",
        "macro-F1",
        "of the file",
        "same class",
        "logit",
    ]
    return (
        format_table(header, cells) + f"\n{rows[0].windows} test windows; logit: the largest "
        "difference of one from the model's."
    )
