"""Pre-training without labels: hide bins and whole modalities, learn to tell what they held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.output import Output
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.errors import ConfigError
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.reconstruction import MaskedModelling, reconstruction_loss
from maestro_ts.recipe import Recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.loop import Examples, Trainer

__all__ = ["ALONE", "HIDDEN", "Pretrained", "pretrain"]

# One network learns; each member of a later training takes its weights.
ALONE = {"model.members": 1, "model.linear_member": False}

# More than a classifier loses in training: what is hidden is all there is to learn from.
HIDDEN = {
    "curriculum.schedule": "uniform",
    "curriculum.modality_max": 0.6,
    "curriculum.warm_share": 0.0,
    "curriculum.segment_probability": 0.7,
    "curriculum.segment_max_share": 0.6,
}


@dataclass(frozen=True)
class Pretrained:
    """A fitted front end, a network without a head, and how it was learned."""

    front_end: FrontEnd
    network: Maestro
    log: list[dict[str, Any]]


def pretrain(
    windows: Windows,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    callbacks: Sequence[Callback] = (),
    state_path: Path | None = None,
    resume: bool = False,
) -> Pretrained:
    """Learn from windows alone; their labels are not looked at.

    The recipe's curriculum says what is hidden, its training how long is learned.

    Parameters
    ----------
    seed : int
        Seeds the first weights and everything that is drawn.
    state_path : Path or None
        Where the resumable state goes after each epoch.

    Raises
    ------
    ConfigError
        The recipe's model is another than MAESTRO.
    """
    front_end = build_front_end(recipe).fit(windows)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's alone
        network = build_network(front_end, 1, recipe)
        if not isinstance(network, Maestro):
            raise ConfigError(
                f"the model {recipe.model_kind!r} cannot be pre-trained.", fix="Use maestro."
            )
        whole = MaskedModelling(network).to(device)
    unranked = recipe.override({"training.ranking_weight": 0.0})  # it compares losses of labels
    trainer = _MaskedTrainer(front_end, whole, unranked, seed, callbacks, state_path)
    n = len(windows)
    examples = Examples(windows, np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
    trainer.fit(examples, None, resume=resume)
    return Pretrained(front_end, network, trainer.log)


class _MaskedTrainer(Trainer):
    """The same loop with another loss."""

    def _loss(
        self,
        train: Examples,
        prepared: Any,
        rows: NDArray[np.intp],
        views: Sequence[Batch],
        outs: Sequence[Output],
    ) -> Tensor:
        whole = self.front_end.collate(prepared, rows).to(self.device)
        alphabet = self.recipe.symbols.alphabet
        return reconstruction_loss(outs[0].logits, views[0], whole, alphabet)
