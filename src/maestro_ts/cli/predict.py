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
    distrust: Annotated[
        bool,
        typer.Option(
            "--distrust", help="Take stuck sensors, and those off in scale or level, as missing."
        ),
    ] = False,
    timeline: Annotated[
        Path | None,
        typer.Option(help="Parquet file for the windows merged into one timeline per recording."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Parquet file for when each class was there.")
    ] = None,
    event_class: Annotated[
        list[str] | None, typer.Option(help="Only events of this class. Repeatable.")
    ] = None,
    event_threshold: Annotated[
        float, typer.Option(help="Least probability of an event's class.")
    ] = 0.5,
    merge_gap_s: Annotated[
        float, typer.Option(help="Events of a class at most this far apart are one.")
    ] = 0.0,
    min_event_s: Annotated[float, typer.Option(help="Drop shorter events.")] = 0.0,
    precision: Annotated[
        str | None, typer.Option(help="float32 or bfloat16; as it was trained unless given.")
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(help="Add the classes that may be true, for so many windows; calibrated run."),
    ] = None,
    no_progress: Plain = False,
) -> None:
    """Predict windows of new files; sensors may be missing."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.errors import ConfigError
    from maestro_ts.evaluation.events import EventRule
    from maestro_ts.experiments.event_job import check_merging, merge_table
    from maestro_ts.experiments.prediction_job import predict_files
    from maestro_ts.signals.source import parse_renames

    names = parse_renames(map_ or [])
    rule = EventRule(tuple(event_class or ()), event_threshold, merge_gap_s, min_event_s)
    if events is None and rule != EventRule():
        raise ConfigError("settings of events are given without --events.", fix="Name its file.")
    merging = timeline is not None or events is not None
    if merging:
        check_merging(run, input_, rule)
    with ConsoleProgress(no_progress) as progress:
        n, silent = predict_files(
            run,
            input_,
            out,
            progress.as_progress(),
            names,
            distrust_scale=distrust_scale,
            distrust=distrust,
            precision=precision,
            coverage=coverage,
        )
    print(f"{n} windows → {out}")
    if silent:
        print(f"{silent} windows have no sensor at all: their prediction is the learned prior.")
    if not merging:
        return
    merged = merge_table(out, timeline, events, rule)
    known = f"{merged.known_h:.2f} h known, {merged.unknown_h:.2f} h unknown (no sensor or window)"
    if timeline is not None:
        print(f"{known} → {timeline}")
    if events is not None:
        print(f"{merged.events} events → {events}")
