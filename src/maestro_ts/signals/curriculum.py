"""The curriculum: what is hidden in training, drawn per sample, at least one modality left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.recipe import CurriculumSettings
from maestro_ts.signals.masks import Mask

__all__ = ["draw_mask", "modality_rate"]


def modality_rate(settings: CurriculumSettings, share: float) -> float:
    """Largest rate of lost modalities after a share of the training.

    ``ramp``: ``p_max · clip((τ − τ_warm) / (τ_max − τ_warm), 0, 1)``, which reaches p_max in short
    runs too; ``uniform``: p_max at once after the warm-up.
    """
    if share < settings.warm_share:
        return 0.0
    if settings.schedule == "uniform":
        return settings.modality_max
    return settings.modality_max * (share - settings.warm_share) / (1.0 - settings.warm_share)


def draw_mask(
    settings: CurriculumSettings,
    present: NDArray[np.bool_],
    share: float,
    rng: np.random.Generator,
    least: float = 0.0,
) -> Mask:
    """A mask for a training batch.

    Parameters
    ----------
    present : ndarray, shape (B, M), bool
        Naturally present modalities.
    share : float
        Share of the training that is done, 0 to 1.
    rng : numpy.random.Generator
    least : float
        Smallest rate of lost modalities where it is drawn (``uniform``).
    """
    n, modalities = present.shape
    mask = Mask.nothing(n, modalities)
    top = modality_rate(settings, share)
    rate: float | NDArray[np.float64] = top
    if settings.schedule == "uniform":
        rate = least + rng.uniform(0.0, 1.0, (n, 1)) * (top - least)
    keep = rng.random((n, modalities)) >= rate
    survivor = np.where(present, rng.random((n, modalities)), -1.0).argmax(axis=1)
    lost_all = ~(keep & present).any(axis=1)
    keep[lost_all, survivor[lost_all]] = True
    mask.keep[:] = keep
    if settings.segment_probability > 0.0 and share >= settings.warm_share:
        hit = rng.random((n, modalities)) < settings.segment_probability
        length = rng.uniform(0.0, settings.segment_max_share, (n, modalities))
        begin = rng.random((n, modalities)) * (1.0 - length)
        mask.segments[..., 0] = begin
        mask.segments[..., 1] = np.where(hit, begin + length, begin)
    return mask
