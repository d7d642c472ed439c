"""What a forward pass costs: multiply-accumulates, counted and not estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.products import count_products, count_total

__all__ = ["count_components", "count_macs", "count_parameters"]


def count_parameters(network: nn.Module) -> int:
    """Learnable numbers."""
    return sum(p.numel() for p in network.parameters())


def count_macs(network: nn.Module, batch: Batch) -> int:
    """Multiply-accumulates of one evaluation pass over a batch, attention products included."""
    with _evaluating(network):
        return count_total(network, batch)


def count_components(network: Network, batch: Batch) -> dict[str, int]:
    """The same by the components that the network names, in the order of the pass.

    A component without any product is left out.
    """
    parts: Counter[str] = Counter()
    with _evaluating(network):
        for (module, weighted), macs in count_products(network, batch).items():
            parts[network.component(module, weighted=weighted)] += macs
    return {name: macs for name, macs in parts.items() if macs}


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
