"""Training windows with and without missing sensors, for models that are fitted at once."""

from __future__ import annotations

import numpy as np

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.recipe import CurriculumSettings
from maestro_ts.signals.curriculum import draw_mask
from maestro_ts.signals.windows import Windows

__all__ = ["with_copies"]


def with_copies(
    front_end: FrontEnd,
    windows: Windows,
    count: int,
    curriculum: CurriculumSettings,
    rng: np.random.Generator,
    least: float = 0.0,
) -> list[Batch]:
    """All windows intact, then `count` times with what the curriculum hides.

    A window of a copy has a missing rate of its own, uniform between `least` and the curriculum's
    `modality_max`, and loses segments as in training by gradients; at least one modality stays.
    Where the curriculum hides nothing there is no copy: it would say the same again.

    Returns
    -------
    list of Batch
        Each of all windows in their order.
    """
    prepared, rows = front_end.prepare(windows), np.arange(len(windows))
    batches = [front_end.collate(prepared, rows)]
    if not (curriculum.modality_max or curriculum.segment_probability):
        return batches
    settings = curriculum.model_copy(update={"schedule": "uniform"})
    least = min(least, curriculum.modality_max)
    for _ in range(count):
        mask = draw_mask(settings, windows.present, 1.0, rng, least)
        batch = front_end.collate(prepared, rows, mask)
        bare = windows.present.any(axis=1) & ~batch.host_present.any(dim=1).numpy()
        if bare.any():  # a segment covered all of a short stream
            mask.segments[bare] = 0.0
            batch = front_end.collate(prepared, rows, mask)
        batches.append(batch)
    return batches
