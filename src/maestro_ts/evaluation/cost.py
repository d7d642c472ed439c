"""What a forward pass costs: multiply-accumulates, counted and not estimated."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from maestro_ts.contract.batch import Batch

__all__ = ["count_macs", "count_parameters"]


def count_parameters(network: nn.Module) -> int:
    """Learnable numbers."""
    return sum(p.numel() for p in network.parameters())


def count_macs(network: nn.Module, batch: Batch) -> float:
    """Multiply-accumulates of one evaluation pass over a batch, attention products included.

    PyTorch's counter misses the fused attention kernel on a CPU, so attention is computed by its
    plain matrix products while counting.
    """
    was_training = network.training
    network.eval()
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            network(batch)
    finally:
        network.train(was_training)
    return counter.get_total_flops() / 2
