"""Classifiers of PyPOTS for partly observed series: BRITS and SAITS.

*Published*: BRITS (Cao et al., NeurIPS 2018), SAITS (Du et al., ESWA 2023), as PyPOTS 1.5 (BSD-3)
implements and trains them: Adam, cross-entropy beside the error of what they reconstruct, the
epoch that is best on held-out subjects. *Ours*: steps that hold what was
measured in them (`MeasuredGrid`), NaN elsewhere, all channels side by side; copies with missing
sensors, as for every model that is fitted at once; length and rate of training are the recipe's.

Its GRU-D is not among them: it takes the mean of the windows that it is given to predict, so that
they depend on each other; nor Raindrop, which needs compiled extensions of PyTorch. A window
without anything gets the classes' shares.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from maestro_ts.baselines import pypots_worker
from maestro_ts.baselines.copies import with_copies
from maestro_ts.baselines.fitted_network import FittedNetwork
from maestro_ts.baselines.measured_grid import MeasuredGrid
from maestro_ts.baselines.network_settings import AttentionSettings
from maestro_ts.baselines.peer_process import ask
from maestro_ts.baselines.stacked_channels import common_steps
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.errors import ConfigError
from maestro_ts.recipe import Recipe
from maestro_ts.signals.split import subject_holdout
from maestro_ts.signals.windows import Windows

__all__ = ["Peer", "Settings", "fit", "front_end", "network"]

WORKER = Path(pypots_worker.__file__)


class Settings(AttentionSettings):
    """Ours; BRITS has only `width`."""

    method: Literal["brits", "saits"] = "brits"
    grid_steps: int = Field(128, ge=2)
    width: int = Field(64, ge=2)
    heads: int = Field(4, ge=1)
    copies: int = Field(2, ge=0, description="Of every window, with missing sensors.")


class Peer(FittedNetwork):
    """A fitted classifier of PyPOTS: its weights as the bytes of an npz file.

    Parameters
    ----------
    names : tuple of str
        Modalities in the model's order.
    settings : dict
        What the worker builds it from.
    weights : Tensor, uint8
    shares : Tensor, [K]
        Logarithms of the classes' shares in training.
    """

    weights: Tensor
    shares: Tensor

    def __init__(
        self, names: tuple[str, ...], settings: dict[str, Any], weights: Tensor, shares: Tensor
    ) -> None:
        super().__init__(weights=weights, shares=shares)
        self.names, self.settings = names, settings

    def forward(self, batch: Batch) -> Output:
        """Logarithms of the probabilities, [B, K]."""
        logits = self.shares.expand(len(batch), -1).clone()
        there = batch.host_present.any(dim=1)
        if there.any():
            given = {"X": series(batch, self.names)[there.numpy()]}
            stored = ask(
                WORKER, "predict", self.settings, given, self.weights.cpu().numpy().tobytes()
            )
            found = np.load(io.BytesIO(stored), allow_pickle=False)["probabilities"]
            logs = torch.from_numpy(np.log(np.maximum(found, 1e-12)))
            logits[there.to(logits.device)] = logs.to(logits)
        return Output(logits)


def series(batch: Batch, names: tuple[str, ...]) -> NDArray[np.float32]:
    """All channels side by side, [B, T, C], NaN where nothing was measured."""
    parts = []
    for name in names:
        x, lacks = batch.inputs[name].chunk(2, dim=2)
        known = batch.valid[name][..., None] & (lacks == 0)
        parts.append(torch.where(known, x, torch.nan))
    return torch.cat(parts, dim=2).cpu().numpy()


def front_end(recipe: Recipe) -> FrontEnd:
    """What was measured, on the common grid."""
    return MeasuredGrid(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> Peer:
    """No weights yet."""
    nothing = torch.zeros(0, dtype=torch.uint8)
    settings = _settings(fitted, n_outputs, recipe)
    return Peer(fitted.schema.names, settings, nothing, torch.zeros(n_outputs))


def fit(
    fitted: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> Peer:
    """Train in PyPOTS' environment, on intact windows and copies."""
    if len(weights) and np.ptp(weights) > 0:
        raise ConfigError(
            "PyPOTS weighs all windows alike.", fix="Leave out sample_weight and class_weight."
        )
    own, rng = recipe.own(Settings), np.random.default_rng(seed)
    train, held = np.arange(len(windows)), np.arange(0)
    if len(np.unique(windows.subjects)) > 1 and recipe.training.validation_share:
        share = recipe.training.validation_share
        train, held = subject_holdout(windows.subjects, share, rng, targets)
    given = {}
    for part, rows in (("train", train), ("held", held)):
        if len(rows):
            batches = with_copies(fitted, windows[rows], own.copies, recipe.curriculum, rng)
            x = np.concatenate([series(batch, fitted.schema.names) for batch in batches])
            there = ~np.isnan(x).all(axis=(1, 2))
            given[f"{part}/X"] = x[there]
            given[f"{part}/y"] = np.tile(targets[rows], len(batches))[there]
    settings = _settings(fitted, n_outputs, recipe) | {"seed": seed}
    batches_per_epoch = -(-len(given["train/X"]) // settings["batch_size"])
    if recipe.training.max_steps is not None:
        epochs = max(recipe.training.max_steps // batches_per_epoch, 1)
        settings["epochs"] = min(settings["epochs"], epochs)
    if settings["patience"] is not None:
        settings["patience"] = min(settings["patience"], settings["epochs"])
    stored = np.frombuffer(ask(WORKER, "fit", settings, given), dtype=np.uint8).copy()
    counts = np.bincount(targets, minlength=n_outputs) + 1.0
    shares = torch.from_numpy(np.log(counts / counts.sum())).float()
    settings = _settings(fitted, n_outputs, recipe)
    return Peer(fitted.schema.names, settings, torch.from_numpy(stored), shares)


def _settings(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> dict[str, Any]:
    own, training = recipe.own(Settings), recipe.training
    return {
        "method": own.method,
        "steps": common_steps(fitted),
        "features": sum(m.channels for m in fitted.schema),
        "classes": n_outputs,
        "width": own.width,
        "layers": own.layers,
        "heads": own.heads,
        "feed_forward": own.feed_forward,
        "dropout": own.dropout,
        "batch_size": training.batch_size,
        "epochs": training.epochs,
        "patience": training.patience,
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "seed": 0,
    }
