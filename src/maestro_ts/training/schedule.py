"""How long is trained, how fast, and by which optimiser."""

from __future__ import annotations

import math
from typing import Any

import torch

from maestro_ts.contract.network import Network
from maestro_ts.recipe import TrainingSettings

__all__ = ["learning_rate", "optimizer_for", "planned_epochs"]


def planned_epochs(settings: TrainingSettings, per_epoch: int) -> int:
    """Epochs of `per_epoch` steps: as set, but at least `min_steps` and at most `max_steps`.

    At least one; whole epochs, so that a large one may take `min_steps` past `max_steps`.
    """
    epochs = settings.epochs
    if settings.max_steps is not None:
        epochs = min(epochs, max(1, settings.max_steps // per_epoch))
    return max(epochs, math.ceil(settings.min_steps / per_epoch))


def learning_rate(settings: TrainingSettings, share: float) -> float:
    """Linear warm-up, then cosine to zero (or constant)."""
    warm = settings.warm_up_share
    if share < warm:
        return settings.learning_rate * max(share / warm, 0.01)
    if settings.schedule == "constant":
        return settings.learning_rate
    return 0.5 * settings.learning_rate * (1 + math.cos(math.pi * (share - warm) / (1 - warm)))


def optimizer_for(network: Network, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam or AdamW; biases, norms and other vectors are not decayed."""
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.learning_rate, fused=True)
