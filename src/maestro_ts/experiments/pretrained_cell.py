"""A cell's product: a network pre-trained without labels, from which cells start.

It is a cell without conditions, of all training subjects of its fold: its hash is made of the same
things, and every cell of the fold and the seed whose recipe agrees starts from the one folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.experiments.cell import Cell
from maestro_ts.experiments.started_from import subjects_seen
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.training.device import threads
from maestro_ts.training.pretrain import ALONE, HIDDEN, pretrain
from maestro_ts.training.run import replacing

__all__ = ["pretrained_cell", "pretraining_recipe", "write_pretrained"]


def pretraining_recipe(recipe: Recipe) -> Recipe:
    """How a network that a training with this recipe starts from is pre-trained."""
    return recipe.override({**HIDDEN, **ALONE})


def pretrained_cell(cell: Cell) -> Cell | None:
    """What a cell starts from; None: nothing."""
    if cell.pretraining is None:
        return None
    return replace(
        cell,
        entrant="pretrained",
        recipe=cell.pretraining,
        conditions=(),
        train_subjects=None,
        pretraining=None,
    )


def write_pretrained(path: Path, cell: Cell, train: Windows) -> None:
    """Pre-train on training windows and write the run folder, whole or not at all."""
    with threads(1):
        found = pretrain(train, cell.recipe, seed=cell.seed, device=torch.device("cpu"))
    subjects = sorted({str(s) for s in train.subjects})
    extra: dict[str, Any] = {
        "pretrained": True,
        "dataset": cell.dataset,
        "determined_by": cell.determined_by(),
        "duration_s": float(np.median(train.duration_s)),
        **subjects_seen(None, cell.dataset, subjects, labelled=False),
    }
    no_classes: NDArray[np.str_] = np.array([], dtype="U1")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, overwrite=True) as run:
        run.save_model(cell.recipe, train.schema, no_classes, found.front_end, found.network, extra)
        run.save_log(found.log)
