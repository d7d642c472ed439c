"""The network's arithmetic in the recipe's precision; weights and their updates stay float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output

__all__ = ["in_precision"]


def in_precision(network: Network, precision: str) -> Callable[[Batch], Output]:
    """The network as a function of a batch, its weights rounded once, now.

    Gradients pass the rounding and reach the weights themselves: a training step asks anew.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        ``float32``: the network as it is.
    """
    if precision == "float32":
        return network
    dtype = getattr(torch, precision)
    tensors: dict[str, Tensor] = {}
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        exact = name.startswith(network.exact) or not value.is_floating_point()
        tensors[name] = value if exact else value.to(dtype)

    def run(batch: Batch) -> Output:
        out: Output = functional_call(network, tensors, (batch,))
        return replace(out, logits=out.logits.float())

    return run
