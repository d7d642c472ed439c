"""``maestro-ts pretrain SOURCE``: files, with labels or without → a run to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import (
    BaselineS,
    Data,
    Device,
    DistrustScale,
    MinCoverage,
    MinInside,
    Overwrite,
    Plain,
    Recipe,
    Resume,
    Set,
    StepS,
    Threads,
    WindowS,
    parse_windows,
)

__all__ = ["pretrain"]


def pretrain(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Name of a data set, a folder or zip with a schema.yaml, or a window store. "
            "Labels are not needed.",
        ),
    ],
    data: Data = None,
    out: Annotated[Path, typer.Option(help="Run folder to write.")] = Path("runs/pretrained"),
    recipe: Recipe = "default",
    set_: Set = None,
    subjects: Annotated[
        str | None, typer.Option(help="Learn from these alone: s1,s2. Otherwise from all.")
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(min=0, help="Leave out the test subjects of this fold of `fit` (first: 0)."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Folds by subject, as in `fit`; with --fold.")
    ] = None,
    window_s: WindowS = None,
    step_s: StepS = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    baseline_s: BaselineS = None,
    distrust_scale: DistrustScale = False,
    seed: Annotated[int, typer.Option(min=0, help="Random state.")] = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
    device: Device = "cpu",
    threads: Threads = None,
    no_progress: Plain = False,
) -> None:
    """Learn from signals without labels: hide parts, tell what they were. For `fit --init`."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.pretrain_job import PretrainJob, run_pretrain
    from maestro_ts.recipe import load_recipe, parse_overrides
    from maestro_ts.training.pretrain import HIDDEN

    named = [part.strip() for part in (subjects or "").split(",")]
    job = PretrainJob(
        source=source,
        data=data,
        out=out,
        recipe=load_recipe(recipe).override(HIDDEN | parse_overrides(set_ or [])),
        subjects=tuple(part for part in named if part),
        fold=fold,
        folds=folds,
        seed=seed,
        windows=parse_windows(window_s, step_s, None, None, min_inside, min_coverage, baseline_s),
        distrust_scale=distrust_scale,
        resume=resume,
        overwrite=overwrite,
        device=device,
        n_threads=threads,
    )
    with ConsoleProgress(no_progress) as progress:
        told = run_pretrain(job, progress.as_progress())
    print(f"{told}: {out}\nStart from it: maestro-ts fit {source} --init {out}")
