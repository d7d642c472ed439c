"""A ranking loss: whoever sees more of a window must not do worse.

Beside its view of a batch a network gets a second one, of which more modalities are hidden; where
its loss with more is the larger one, the difference is added (SimMLM, ICCV 2025, arXiv 2507.19264:
``max(0, L(more) − L(less))``). Both views are learned from, too. With a weight of at most 1 a
network never gains by doing worse with less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.signals.masks import Mask

__all__ = ["poorer_view", "ranked"]


def poorer_view(
    front_end: FrontEnd,
    prepared: Any,
    rows: NDArray[np.intp],
    mask: Mask,
    batch: Batch,
    rng: np.random.Generator,
) -> Batch:
    """The same windows with fewer of the modalities that `batch` has of them, under `mask`.

    Of k modalities 1 to k − 1 are kept, each number alike likely; a single one stays. Segments
    are those of the mask.
    """
    there = batch.host_present.numpy()
    count = there.sum(axis=1)
    kept = rng.integers(1, np.maximum(count, 2))
    # Places in a random order of the modalities that are there.
    rank = np.where(there, rng.random(there.shape), np.inf).argsort(axis=1).argsort(axis=1)
    fewer = replace(mask, keep=mask.keep & there & (rank < kept[:, None]))
    return front_end.collate(prepared, rows, fewer).to(batch.present.device)


def ranked(more: Tensor, less: Tensor, views: tuple[Batch, Batch], weight: float) -> Tensor:
    """What is minimised, per window.

    Parameters
    ----------
    more, less : Tensor, ``[S, B]``
        Losses of S members with more modalities and with less.
    views : the two batches
        Where they have equally many modalities the views are one, and nothing is ranked: two
        draws of dropout differ.
    weight : float
        Of the ranking, 0 to 1.

    Returns
    -------
    Tensor, ``[S, B]``
    """
    differ = views[1].present.sum(dim=1) < views[0].present.sum(dim=1)
    return more + less + weight * (more - less).clamp(min=0.0) * differ
