"""Weights that training leaves as they are, though other rows of the same tensors are trained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

__all__ = ["Frozen"]


class Frozen:
    """Hold parts of a network's parameters.

    Parameters
    ----------
    network : nn.Module
    kept : dict of name to Tensor, bool
        Of every parameter that has something to hold, its shape: True stays.
    """

    def __init__(self, network: nn.Module, kept: Mapping[str, Tensor]) -> None:
        self.parts: list[tuple[nn.Parameter, Tensor, Tensor]] = []
        for name, parameter in network.named_parameters():
            stays = kept.get(name)
            if stays is None or not stays.any():
                continue
            stays = stays.to(parameter.device)
            if stays.all():
                # Without a gradient no optimiser touches it, and none is computed.
                parameter.requires_grad_(False)
                continue
            parameter.register_hook(partial(torch.masked_fill, mask=stays, value=0.0))  # type: ignore[no-untyped-call]
            self.parts.append((parameter, stays, parameter.detach()[stays].clone()))

    @torch.no_grad()
    def hold(self) -> None:
        """Undo what an optimiser does without a gradient: the decay of weights."""
        for parameter, stays, values in self.parts:
            parameter[stays] = values
