"""`Network`: `Batch` → `Output`. The second half of a model, an ``nn.Module``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.output import Output
from maestro_ts.errors import ConfigError

__all__ = ["Network"]


class Network(nn.Module):
    """Base of all networks. Evaluation draws nothing; training draws from the given generator.

    Attributes
    ----------
    exact : tuple of str
        Beginnings of the names of weights that stay float32 where the others are rounded.
    embeds : bool
        Whether it has `pooled`.
    separable : bool
        In training too it computes every window by itself, and its auxiliary loss is a mean over
        the modalities that are present: parts of a batch give gradients that add up to its own.
    """

    exact: tuple[str, ...] = ()
    embeds: bool = False
    separable: bool = False

    def forward(self, batch: Batch) -> Output:
        """Logits of a batch."""
        raise NotImplementedError

    def pooled(self, batch: Batch) -> Tensor:
        """One vector per window, before the head, [B, D].

        Raises
        ------
        ConfigError
            This network has none.
        """
        raise ConfigError(f"{type(self).__name__} gives no embedding of windows.")

    def use_generator(self, generator: torch.Generator | None) -> None:
        """Give every module that draws in training its generator."""
        for module in self.modules():
            if hasattr(module, "generator"):
                module.generator = generator  # type: ignore[assignment]

    def smoothing(self, given: float, members: int) -> tuple[float, ...]:
        """Label smoothing of each member's loss, where the recipe gives this much."""
        return (given,) * members

    def set_progress(self, share: float) -> None:
        """Told the share of training that is done, before each step."""

    def after_step(self) -> None:
        """Called after each optimiser step, for state that no gradient moves."""

    def counted(self) -> list[Tensor]:
        """What a step counts over its windows for `after_step`; parts of a batch add it up."""
        return []

    def component(self, module: str, *, weighted: bool) -> str:
        """Name of the component to which a matrix product belongs when its cost is counted.

        Parameters
        ----------
        module : str
            Qualified name of the module that owns the weight, or that multiplies two activations.
        weighted : bool
            Which of the two it is.
        """
        return module.partition(".")[0] or "other"
