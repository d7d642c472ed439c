"""``maestro-ts demo``: the whole job on the embedded smart-watch data."""

from __future__ import annotations

from pathlib import Path

from maestro_ts.cli.options import Out, Overwrite, Plain, Resume, Threads

__all__ = ["demo"]

EPOCHS = 30  # about 1,500 steps; minutes, not the last digit


def demo(
    out: Out = Path("runs/demo"),
    resume: Resume = False,
    overwrite: Overwrite = False,
    threads: Threads = 1,  # as quick as two here, and far quicker where the other core is busy
    no_progress: Plain = False,
) -> None:
    """Train on real smart-watch exercises (accelerometer, gyroscope) and write a report."""
    from maestro_ts.cli.fit import run
    from maestro_ts.cli.progress import ConsoleProgress
    from maestro_ts.experiments.main_job import Job
    from maestro_ts.recipe import load_recipe

    # Subjects are held out here, unlike in the default recipe, so that the bar has a score to show.
    recipe = load_recipe("default").override(
        {
            "name": "default, shortened for the demo",
            "training.epochs": EPOCHS,
            "training.min_steps": 0,
            "training.validation_share": 0.15,
        }
    )
    job = Job(
        dataset="watch",
        data=None,
        out=out,
        recipe=recipe,
        rates=(0.0, 0.2, 0.4, 0.6, 0.8),
        resume=resume,
        overwrite=overwrite,
        n_threads=threads,
    )
    with ConsoleProgress(no_progress) as progress:
        run(job, progress)
