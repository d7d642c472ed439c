"""`FittedNetwork`: a network that no gradient trains; what its fit found lies in buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from maestro_ts.contract.network import Network

__all__ = ["FittedNetwork", "row_products"]


class FittedNetwork(Network):
    """Base of networks with buffers instead of parameters, of any size when they are read back.

    Parameters
    ----------
    **found : Tensor
        Every buffer; empty ones in a network that is about to be read from a file.
    """

    exact = ("",)  # every name begins with it: nothing is rounded to lower precision

    def __init__(self, **found: Tensor) -> None:
        super().__init__()
        for name, tensor in found.items():
            self.register_buffer(name, tensor)
        self.register_load_state_dict_pre_hook(_take_sizes)  # type: ignore[no-untyped-call]


def row_products(table: Tensor, coefficients: Tensor) -> Tensor:
    """``table @ coefficients``, [B, F] and [F, K], where no row's rounding depends on its place.

    A matrix product adds up in an order of its own at the edges of its blocks.
    """
    return torch.stack([(table * column).sum(dim=1) for column in coefficients.T], dim=1)


def _take_sizes(
    module: nn.Module, stored: Mapping[str, Tensor], prefix: str, *_: Any, **__: Any
) -> None:
    """Give the buffers the sizes and types of what is about to be read into them."""
    for name, buffer in list(module.named_buffers(recurse=False)):
        if prefix + name in stored:
            setattr(module, name, torch.empty_like(stored[prefix + name], device=buffer.device))
