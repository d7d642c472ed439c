"""``maestro-ts prepare``: files of a data set → a window store on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import (
    Data,
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
    dataset: Annotated[str, typer.Argument(help="Name: see `maestro-ts datasets list`.")],
    out: Annotated[Path, typer.Option(help="Store folder to write.")],
    data: Data = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that read recordings.")] = 1,
    window_s: WindowS = None,
    step_s: StepS = None,
    label_rule: LabelledBy = None,
    purity: Purity = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on; verify a finished store, or cut it anew.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    no_progress: Plain = False,
) -> None:
    """Write a data set as a store, which need not fit into memory; then: fit STORE."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.errors import ConfigError
    from maestro_ts.signals.store import open_windows, prepare_dataset

    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.", fix="Give one of them.")
    with ConsoleProgress(no_progress) as progress:
        manifest = prepare_dataset(
            dataset,
            data,
            out,
            parse_windows(window_s, step_s, label_rule, purity, min_inside, min_coverage),
            jobs=jobs,
            resume=resume,
            overwrite=overwrite,
            progress=lambda done, total: progress.update("reading", done, total),
        )
        for where, why in manifest.refused[:5]:
            progress.note(f"not read: {where}: {why}")
        if len(manifest.refused) > 5:
            progress.note(f"… and {len(manifest.refused) - 5} more files of this kind")
    windows = open_windows(out)
    recordings = sum(shard.tables["recordings"].rows for shard in manifest.shards)
    size = sum(file.bytes for file in manifest.files())
    print(f"{out}: {recordings} recordings, {len(windows)} windows, {size / 1e6:.1f} MB")
