"""``maestro-ts fit``: files of a data set → trained model, results, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_ts.cli import torchrun
from maestro_ts.cli.options import (
    BaselineS,
    Data,
    Device,
    DistrustScale,
    LabelledBy,
    MinCoverage,
    MinInside,
    Out,
    Overwrite,
    Plain,
    Purity,
    Recipe,
    Resume,
    Set,
    StepS,
    Threads,
    WindowS,
    parse_windows,
)

if TYPE_CHECKING:
    from maestro_ts.training.ranks import Ranks

__all__ = ["fit", "run"]


def fit(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Name of a data set (see `maestro-ts datasets list`), a folder or zip with a "
            "schema.yaml (see `maestro-ts init`), or a window store.",
        ),
    ],
    data: Data = None,
    out: Out = Path("runs/latest"),
    recipe: Recipe = "default",
    set_: Set = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Folds by subject; the first is the test. "
            "Without it: the owners' split where there is one, else 5.",
        ),
    ] = None,
    cv: Annotated[bool, typer.Option("--cv", help="Train and test all folds.")] = False,
    window_s: WindowS = None,
    step_s: StepS = None,
    label_rule: LabelledBy = None,
    purity: Purity = None,
    min_inside: MinInside = None,
    min_coverage: MinCoverage = None,
    baseline_s: BaselineS = None,
    distrust_scale: DistrustScale = False,
    init: Annotated[
        Path | None, typer.Option(help="Run to start from, pre-trained or trained.")
    ] = None,
    add_modality: Annotated[
        list[str] | None,
        typer.Option(help="Modality that the run of --init lacks. Repeatable."),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Train only added modalities' own parts and the head."),
    ] = False,
    rates: Annotated[str, typer.Option(help="Missing rates to test.")] = "0,.1,.2,.3,.4,.6,.8",
    seed: Annotated[int, typer.Option(min=0, help="Random state.")] = 0,
    calibrate: Annotated[
        int | None,
        typer.Option(min=2, help="Then calibrate on so many folds of the training subjects."),
    ] = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    device: Device = "cpu",
    threads: Threads = None,
    no_progress: Plain = False,
) -> None:
    """Train on a data set, test with sensors missing, write a report."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.main_job import Job
    from maestro_ts.recipe import load_recipe, parse_overrides
    from maestro_ts.training.ranks import process_group

    settings = load_recipe(recipe).override(parse_overrides(set_ or []))
    job = Job(
        dataset=source,
        data=data,
        out=out,
        recipe=settings,
        folds=folds,
        cross_validate=cv,
        seed=seed,
        rates=parse_rates(rates),
        windows=parse_windows(
            window_s, step_s, label_rule, purity, min_inside, min_coverage, baseline_s
        ),
        distrust_scale=distrust_scale,
        calibrate=calibrate,
        resume=resume,
        overwrite=overwrite,
        device=device,
        n_threads=threads,
        init=init,
        add_modalities=tuple(add_modality or ()),
        freeze=freeze,
    )
    plain = no_progress or not torchrun.first()
    with process_group(device) as ranks, ConsoleProgress(plain) as progress:
        run(job, progress, ranks)


def run(job: object, progress: object, ranks: Ranks | None = None) -> None:
    """Run a job, in several processes if there are, and print its table and where the report is."""
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.cli.tables import results_table
    from maestro_ts.experiments.main_job import Job
    from maestro_ts.experiments.torchrun_job import run_side_by_side
    from maestro_ts.training.ranks import Ranks

    assert isinstance(job, Job)
    assert isinstance(progress, ConsoleProgress)
    results = run_side_by_side(job, ranks or Ranks(), progress.as_progress())
    if results is None:
        return
    progress.__exit__(None, None, None)
    print(results_table(results))
    print(f"\nReport: {job.out / 'report.html'}")


def parse_rates(text: str) -> tuple[float, ...]:
    """``"0,.2,.4"`` or ``"0 .2 .4"`` → rates."""
    from maestro_ts.errors import ConfigError

    try:
        rates = tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigError(
            f"--rates takes numbers, got {text!r}.", fix="Example: 0,.2,.4"
        ) from error
    if not rates or not all(0.0 <= r <= 1.0 for r in rates):
        raise ConfigError(f"--rates lie in [0, 1], got {text!r}.")
    return rates
