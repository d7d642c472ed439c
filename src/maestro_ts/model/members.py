"""Several networks as one: they share nothing but the windows, and their mean is the answer.

Two networks drawn apart err apart on people neither has seen; their mean errs less than either
(deep ensembles, Lakshminarayanan et al., NeurIPS 2017; figures in docs/results.md). Parts that are
shared, encoders above all, take most of that gain away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.errors import ConfigError

__all__ = ["Members", "members_of"]

N = TypeVar("N", bound=Network)


class Members(Network):
    """The mean of the members' outputs; each is trained by its own loss.

    Outputs, not probabilities: it serves numbers and several labels as well, and one member that
    is sure does not overrule the others.

    Parameters
    ----------
    networks : sequence of Network
        Of the same outputs.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.exact = tuple(
            f"networks.{k}.{name}" for k, each in enumerate(networks) for name in each.exact
        )
        self.embeds = any(each.embeds for each in networks)
        self.separable = all(each.separable for each in networks)

    def forward(self, batch: Batch) -> Output:
        """Mean logits, budgets and expert shares; `Output.members` holds each one's logits."""
        outs: list[Output] = [network(batch) for network in self.networks]
        logits = torch.stack([out.logits for out in outs])
        losses = [out.aux_loss for out in outs if out.aux_loss is not None]
        return Output(
            logits=logits.mean(dim=0),
            aux_loss=torch.stack(losses).sum() if losses else None,
            budgets=_mean([out.budgets for out in outs]),
            expert_share=_mean([out.expert_share for out in outs]),
            tokens=outs[0].tokens,
            members=logits,
        )

    def pooled(self, batch: Batch) -> Tensor:
        """Those of the members that have one, side by side."""
        networks = [network for network in self.networks if isinstance(network, Network)]
        return torch.cat([each.pooled(batch) for each in networks if each.embeds], dim=1)

    def smoothing(self, given: float, members: int) -> tuple[float, ...]:
        """Of every member."""
        each = [network for network in self.networks if isinstance(network, Network)]
        return tuple(s for network in each for s in network.smoothing(given, 1))

    def set_progress(self, share: float) -> None:
        """Tell every member."""
        for network in self.networks:
            assert isinstance(network, Network)
            network.set_progress(share)

    def counted(self) -> list[Tensor]:
        """Of every member."""
        each = [network for network in self.networks if isinstance(network, Network)]
        return [count for network in each for count in network.counted()]

    def after_step(self) -> None:
        """Tell every member."""
        for network in self.networks:
            assert isinstance(network, Network)
            network.after_step()

    def component(self, module: str, *, weighted: bool) -> str:
        """As the member calls it; a component's cost is that of all members together."""
        _, _, rest = module.partition(".")
        number, _, own = rest.partition(".")
        network = self.networks[int(number or 0)]
        assert isinstance(network, Network)
        return network.component(own, weighted=weighted)


def members_of(network: Network, kind: type[N]) -> list[N]:
    """The networks of this kind among those whose mean a network is; itself if it is one.

    Raises
    ------
    ConfigError
        None is of this kind.
    """
    each = network.networks if isinstance(network, Members) else [network]
    members = [member for member in each if isinstance(member, kind)]
    if not members:
        raise ConfigError(
            f"{type(network).__name__} is another kind of network.",
            fix=f"Only {kind.__name__} can do this.",
        )
    return members


def _mean(found: list[Tensor | None]) -> Tensor | None:
    there = [x for x in found if x is not None]
    return torch.stack(there).mean(dim=0) if there else None
