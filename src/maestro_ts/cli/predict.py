"""``maestro-ts predict RUN INPUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import DistrustScale, Plain

__all__ = ["predict"]


def predict(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    input_: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="Archive or folder of the run's data set, a folder or zip with a schema.yaml, or "
            "an .npz with one array [windows, samples, channels] per modality.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")] = Path("predictions.parquet"),
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="A modality's name in the input and in the model: wrist_acc=acc."
        ),
    ] = None,
    distrust_scale: DistrustScale = False,
    no_progress: Plain = False,
) -> None:
    """Predict windows of new files; sensors may be missing."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.prediction_job import predict_files
    from maestro_ts.signals.source import parse_renames

    names = parse_renames(map_ or [])
    with ConsoleProgress(no_progress) as progress:
        n, silent = predict_files(
            run, input_, out, progress.as_progress(), names, distrust=distrust_scale
        )
    print(f"{n} windows → {out}")
    if silent:
        print(f"{silent} windows have no sensor at all: their prediction is the learned prior.")
