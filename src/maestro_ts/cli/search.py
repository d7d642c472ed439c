"""``maestro-ts search``: settings that suit a data set, tried on validation subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_ts.cli.options import (
    BaselineS,
    Data,
    Device,
    LabelledBy,
    MinCoverage,
    MinInside,
    Plain,
    Purity,
    Recipe,
    Set,
    StepS,
    Threads,
    WindowS,
    parse_windows,
)

__all__ = ["search"]

SHOWN = 5


def search(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Name of a data set, a folder with a schema.yaml, or a store."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of trials and best.yaml; one there goes on.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials, all together.")] = 30,
    space: Annotated[
        Path | None, typer.Option(help="YAML file of settings and their ranges; else our own.")
    ] = None,
    data: Data = None,
    recipe: Recipe = "default",
    set_: Set = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="As in fit: the subjects of its test are not looked at."),
    ] = None,
    window_s: WindowS = None,
    step_s: StepS = None,
    label_rule: LabelledBy = None,
    purity: Purity = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    baseline_s: BaselineS = None,
    seed: Annotated[int, typer.Option(min=0, help="Random state of every trial.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Trials side by side; 1, or all processors of a Ray cluster."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local (this machine), or ray (RAY_ADDRESS, or one of its own).")
    ] = "local",
    no_progress: Plain = False,
) -> None:
    """Try settings on validation subjects; then: fit SOURCE --recipe OUT/best.yaml."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import format_table
    from maestro_ts.experiments.search_job import SearchJob, run_search
    from maestro_ts.experiments.search_space import load_space
    from maestro_ts.recipe import load_recipe, parse_overrides

    job = SearchJob(
        dataset=source,
        data=data,
        out=out,
        recipe=load_recipe(recipe).override(parse_overrides(set_ or [])),
        space=load_space(space),
        trials=trials,
        folds=folds,
        windows=parse_windows(
            window_s, step_s, label_rule, purity, min_inside, min_coverage, baseline_s
        ),
        seed=seed,
        device=device,
        n_threads=threads,
        engine=engine,
        jobs=jobs,
    )
    with ConsoleProgress(no_progress) as progress:
        found = run_search(job, progress.as_progress())
    head = ["trial", found.measure, *job.space]
    rows = [
        [str(t["number"]), f"{t['score']:.3f}", *(_told(t["settings"][k]) for k in job.space)]
        for t in found.ranked[:SHOWN]
    ]
    print(format_table(head, rows))
    print(f"\nOf {len(found.trials)} trials. Recipe: {out / 'best.yaml'}")


def _told(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
