"""The graph of a fitted network, of one member or of several side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.model.graph.network import MaestroGraph
from maestro_ts.model.linear import LinearMember
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.members import Members, members_of

__all__ = ["Graph", "MembersGraph", "graph_of"]


class GraphLinear(nn.Module):
    """The linear member, given what the graph beside it is given."""

    def __init__(self, member: LinearMember, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.member, self.inputs = member, inputs

    def forward(self, *given: Tensor) -> Tensor:
        """See `MaestroGraph.forward`."""
        return self.member.logits(dict(zip(self.inputs, given, strict=True)))


class MembersGraph(nn.Module):
    """The mean of several graphs, which are given the same inputs.

    Attributes
    ----------
    inputs : tuple of str
        As of each.
    """

    def __init__(self, network: Members) -> None:
        super().__init__()
        graphs: list[nn.Module] = [MaestroGraph(n) for n in members_of(network, Maestro)]
        first = graphs[0]
        assert isinstance(first, MaestroGraph)
        self.inputs = first.inputs
        linear = [n for n in network.networks if isinstance(n, LinearMember)]
        self.graphs = nn.ModuleList([*graphs, *(GraphLinear(n, self.inputs) for n in linear)])
        self.eval()

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
    """The graph of a network of MAESTRO's.

    Raises
    ------
    ConfigError
        Another kind of network, or one in training.
    """
    if isinstance(network, Members):
        return MembersGraph(network)
    return MaestroGraph(members_of(network, Maestro)[0])
