"""A moving average of a network's weights, which errs less on other people than the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

__all__ = ["MovingAverage", "copied"]


class MovingAverage:
    """See the module's docstring.

    Parameters
    ----------
    network : torch.nn.Module
        Whose weights, those of now, it begins with.
    decay : float
        Share that stays in each step.

    Attributes
    ----------
    weights : dict of str to Tensor
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = network, decay
        self.weights = copied(network.state_dict())

    def update(self, step: int) -> None:
        """After a step; `step` counts from 1."""
        # Early on the average follows quickly: the first weights are not worth remembering.
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.weights[name].lerp_(value, 1.0 - decay)
            else:
                self.weights[name].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has these weights inside, and its own again afterwards."""
        own = copied(self.network.state_dict())
        self.network.load_state_dict(self.weights)
        try:
            yield
        finally:
            self.network.load_state_dict(own)


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same numbers, which later steps do not change."""
    return {name: value.detach().clone() for name, value in tensors.items()}
