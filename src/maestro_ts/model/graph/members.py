"""The graph of a fitted network, of one member or of several side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.model.graph.network import MaestroGraph
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import members_of

__all__ = ["Graph", "MembersGraph", "graph_of"]


class MembersGraph(nn.Module):
    """The mean of several graphs, which are given the same inputs.

    Attributes
    ----------
    inputs : tuple of str
        As of each.
    """

    def __init__(self, networks: list[Maestro]) -> None:
        super().__init__()
        first = MaestroGraph(networks[0])
        self.inputs = first.inputs
        self.graphs = nn.ModuleList([first, *map(MaestroGraph, networks[1:])])

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        """The positional inputs of a batch."""
        first = self.graphs[0]
        assert isinstance(first, MaestroGraph)
        return first.arguments(batch)

    def forward(self, *given: Tensor) -> Tensor:
        """See `MaestroGraph.forward`."""
        return torch.stack([graph(*given) for graph in self.graphs]).mean(dim=0)


Graph = MaestroGraph | MembersGraph


def graph_of(network: Network) -> Graph:
    """The graph of `Maestro` networks.

    Raises
    ------
    ConfigError
        Another kind of network, or one in training.
    """
    networks = members_of(network, Maestro)
    return MaestroGraph(networks[0]) if len(networks) == 1 else MembersGraph(networks)
