"""``maestro-ts experiment NAME --dataset D``: cells → tables, figures and a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_ts.cli.options import (
    FOLDER_VARIABLE,
    BaselineS,
    Data,
    DistrustScale,
    LabelledBy,
    MinCoverage,
    MinInside,
    Plain,
    Purity,
    Recipe,
    Set,
    StepS,
    WindowS,
    parse_windows,
)

if TYPE_CHECKING:
    from maestro_ts.experiments.cell_work import Done
    from maestro_ts.experiments.experiment_job import ExperimentJob

__all__ = ["experiment"]


def experiment(
    name: Annotated[
        str,
        typer.Argument(
            help="full-modality, missingness, subsets, ablation, headline, label-efficiency, "
            "noise, irregularity, partial, unimodal, prior-mask, experts, word-length, density, "
            "cost, routing, attention-map, symbols or latents."
        ),
    ],
    dataset: Annotated[
        str, typer.Option(help="Name of a data set, a folder with a schema.yaml, or a store.")
    ],
    data: Data = None,
    models: Annotated[
        str | None,
        typer.Option(help="Entrants, with commas: maestro, maestro-paper, any model's name."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Random states, with commas.")] = "0",
    folds: Annotated[str | None, typer.Option(help="Some folds, with commas; else all.")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="folds (by subject), owners or odd-even; else the data set's own."),
    ] = None,
    budget: Annotated[
        str, typer.Option(help="full; quick: one fold and seed, 150 steps, fewer rates.")
    ] = "full",
    recipe: Recipe = "default",
    set_: Set = None,
    window_s: WindowS = None,
    step_s: StepS = None,
    label_rule: LabelledBy = None,
    purity: Purity = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    baseline_s: BaselineS = None,
    distrust_scale: DistrustScale = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of cells and tables; else experiments/NAME.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Cells side by side, one thread each; 1, or all processors of a Ray cluster.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local (this machine), or ray (RAY_ADDRESS, or one of its own).")
    ] = "local",
    verify: Annotated[
        bool, typer.Option("--verify", help="Compute one finished cell again and compare.")
    ] = False,
    no_progress: Plain = False,
) -> None:
    """Compare models on a data set; finished cells are kept, an interrupted run goes on."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.catalogue import experiment as known
    from maestro_ts.experiments.cell_work import Source
    from maestro_ts.experiments.experiment_job import (
        ExperimentJob,
        run_experiment,
        verify_experiment,
    )
    from maestro_ts.recipe import parse_overrides

    asked = known(name)
    windows = parse_windows(
        window_s, step_s, label_rule, purity, min_inside, min_coverage, baseline_s
    )
    job = ExperimentJob(
        experiment=asked,
        source=Source(dataset, data or _archive(dataset), windows, distrust_scale),
        out=out or Path("experiments") / (asked.cells_of or asked.name),
        models=tuple((models or "").replace(",", " ").split()),
        seeds=_numbers(seeds, "--seeds"),
        folds=None if folds is None else _numbers(folds, "--folds"),
        split=split,
        recipe=recipe,
        settings=parse_overrides(set_ or []),
        budget=budget,
        engine=engine,
        jobs=jobs,
    )
    if asked.look is not None:
        _look(job, verify, no_progress)
        return
    with ConsoleProgress(no_progress) as progress:
        if verify:
            found = verify_experiment(job, progress.as_progress())
        else:
            summary, failed = run_experiment(job, progress.as_progress())
    if verify:
        code = "" if found.same_code else " The code has changed since then."
        said = "identical" if found.same else "NOT identical"
        print(f"{found.name}: computed again in {found.seconds:.0f} s, {said}.{code}")
        raise typer.Exit(0 if found.same else 1)
    print(_table(summary))
    print(f"\nTables and page: {job.out / summary['dataset']['name']}")
    _tell(failed)


def _look(job: ExperimentJob, verify: bool, no_progress: bool) -> None:
    """An experiment that looks inside fitted models: its first table and where its page is."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import format_table
    from maestro_ts.errors import ConfigError
    from maestro_ts.experiments.look_job import run_look

    name = job.experiment.name
    if verify:
        raise ConfigError(
            f"{name} has no cells to verify.",
            fix="--verify is for experiments that compare scores, such as full-modality.",
        )
    with ConsoleProgress(no_progress) as progress:
        summary, sections, failed = run_look(job, progress.as_progress())
    for table in [t for part in sections for t in part.tables if not t.folded][:1]:
        print(f"{table.title}\n\n{format_table(table.head, table.rows)}\n")
    print(f"Numbers, tables and page: {job.out / summary['dataset']['name'] / name}.*")
    _tell(failed)


def _tell(failed: Sequence[Done]) -> None:
    for done in failed:
        print(f"Not computed: {done.task.cell.title}: {done.failure}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _table(summary: dict[str, object]) -> str:
    from maestro_ts.cli.tables import format_table
    from maestro_ts.report.experiment_tables import experiment_tables

    first = next(t for t in experiment_tables(summary) if not t.folded)
    return f"{first.title}\n\n{format_table(first.head, first.rows)}"


def _archive(dataset: str) -> Path | None:
    """The archive of a published set in the folder of the environment, where it is there."""
    import os

    from maestro_ts.signals.datasets import DATASETS, card
    from maestro_ts.signals.datasets.local import find_data

    folder = os.environ.get(FOLDER_VARIABLE)
    if dataset not in DATASETS or not folder or card(dataset).package:
        return None
    found = find_data(card(dataset), Path(folder))
    return Path(folder) / found if found else None


def _numbers(text: str, option: str) -> tuple[int, ...]:
    from maestro_ts.errors import ConfigError

    try:
        found = tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigError(
            f"{option} takes whole numbers, got {text!r}.", fix="Example: 0,1,2"
        ) from error
    if not found or min(found) < 0:
        raise ConfigError(f"{option} takes whole numbers from 0, got {text!r}.")
    return tuple(dict.fromkeys(found))
