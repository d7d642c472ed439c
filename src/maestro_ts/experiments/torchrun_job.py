"""The main job in several processes: the first does it all, the others train along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.contract.registry import fits_at_once
from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments.loading import load_data
from maestro_ts.experiments.main_job import Job, run_job, unfitted
from maestro_ts.experiments.progress import Progress
from maestro_ts.training.ranks import Ranks

__all__ = ["run_side_by_side"]


def run_side_by_side(job: Job, ranks: Ranks, progress: Progress) -> Results | None:
    """`run_job` in the first process; None in the others, which write and tell nothing.

    Raises
    ------
    ConfigError
        Something that one process has to do.
    """
    if ranks.size > 1:
        _check(job)
    if not ranks.first:
        _train_along(job, ranks)
        return None
    results = run_job(job, progress)
    ranks.from_first(None)  # nothing more to train
    return results


def _train_along(job: Job, ranks: Ranks) -> None:
    """Train on what the first process says, until it is done; it alone knows what is finished."""
    loaded = load_data(job.dataset, job.data, job.windows, Progress(), distrust=job.distrust_scale)
    rows: NDArray[np.intp] | None = None
    while (rows := ranks.from_first(rows)) is not None:
        unfitted(job, loaded).fit(loaded.windows[rows])


def _check(job: Job) -> None:
    if fits_at_once(job.recipe):
        raise ConfigError(
            f"the model {job.recipe.model_kind!r} is not trained step by step.",
            fix="Fit it without torchrun.",
        )
    if job.calibrate is not None:
        raise ConfigError(
            "--calibrate fits further models, in one process.",
            fix="Afterwards: maestro-ts calibrate RUN, without torchrun.",
        )
