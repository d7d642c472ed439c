"""``maestro-ts prepare``: files of a data set, or your own, → a window store on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import (
    BaselineS,
    Data,
    DistrustScale,
    LabelledBy,
    MinCoverage,
    MinInside,
    Plain,
    Purity,
    StepS,
    WindowS,
    parse_windows,
)

__all__ = ["prepare"]


def prepare(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Name of a data set (see `maestro-ts datasets list`), or a folder or zip with a "
            "schema.yaml.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Store folder to write.")],
    data: Data = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Recordings read side by side; 1, or all processors of a Ray cluster."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local (this machine), or ray (RAY_ADDRESS, or one of its own).")
    ] = "local",
    window_s: WindowS = None,
    step_s: StepS = None,
    label_rule: LabelledBy = None,
    purity: Purity = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    baseline_s: BaselineS = None,
    distrust_scale: DistrustScale = False,
    append: Annotated[
        bool, typer.Option("--append", help="Add what a store of your folder does not have yet.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on; verify a finished store, or cut it anew.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    no_progress: Plain = False,
) -> None:
    """Write a data set as a store, which need not fit into memory; then: fit STORE."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.errors import ConfigError
    from maestro_ts.signals.distrust import distrusted
    from maestro_ts.signals.store import open_windows, prepare_source, read_recordings

    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.", fix="Give one of them.")
    with ConsoleProgress(no_progress) as progress:
        manifest = prepare_source(
            source,
            data,
            out,
            parse_windows(
                window_s, step_s, label_rule, purity, min_inside, min_coverage, baseline_s
            ),
            append=append,
            distrust=distrust_scale,
            jobs=jobs,
            engine=engine,
            resume=resume,
            overwrite=overwrite,
            progress=lambda done, total: progress.update("reading", done, total),
        )
        for where, why in manifest.refused[:5]:
            progress.note(f"not read: {where}: {why}")
        if len(manifest.refused) > 5:
            progress.note(f"… and {len(manifest.refused) - 5} more files of this kind")
        if told := distrusted(read_recordings(out, manifest)):
            progress.note(told)
    windows = open_windows(out)
    recordings = sum(shard.tables["recordings"].rows for shard in manifest.shards)
    size = sum(file.bytes for file in manifest.files())
    print(f"{out}: {recordings} recordings, {len(windows)} windows, {size / 1e6:.1f} MB")
