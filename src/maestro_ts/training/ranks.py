"""The processes that train one network side by side: each has a part of every batch.

The gradients that the parts give are added up by one explicit all-reduce after the backward pass.
PyTorch's wrapper `DistributedDataParallel` averages them instead, which is the gradient of the
whole batch only where all parts weigh alike: here windows have weights, the last batch of an epoch
does not divide evenly, and the budgets' price is a mean over what is present. It also has to be
told which parameters get no gradient; a modality that no window of a part has is such a case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TypeVar, cast

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import ArrayLike
from torch import Tensor

from maestro_ts.contract.network import Network
from maestro_ts.errors import ConfigError, RunError

__all__ = ["Part", "Ranks", "process_group"]

T = TypeVar("T")

# The others wait while the first one validates, tests and writes; torchrun ends those whose
# neighbour died, so there is nothing that a shorter time would find out.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True)
class Part:
    """The windows of a batch that a process computes.

    Attributes
    ----------
    rows : slice
        Of the batch.
    times : int
        How many processes compute the same rows.
    """

    rows: slice
    times: int = 1

    def share(self, weights: ArrayLike) -> float:
        """What a mean over the part counts in the mean over the batch, whose weights these are.

        Where nothing weighs anything, that mean is none, and all parts count alike.
        """
        weights = np.asarray(weights, dtype=np.float64)
        whole = float(weights.sum())
        return (float(weights[self.rows].sum()) / whole if whole else 1.0) / self.times


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is; one that is alone communicates with nobody."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> Ranks:
        """Those of PyTorch's process group, where there is one."""
        if not (dist.is_available() and dist.is_initialized()):
            return cls()
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def first(self) -> bool:
        """It validates, writes and tells; the others only train along."""
        return self.rank == 0

    def check(self, network: Network, batch_size: int, identity: Sequence[int]) -> None:
        """Refuse what several processes cannot train as one would.

        Parameters
        ----------
        identity : sequence of int
            Equal in all processes if they train the same.

        Raises
        ------
        ConfigError
            A network whose gradients do not add up, or more processes than windows in a batch.
        RunError
            The processes train different things.
        """
        if self.size == 1:
            return
        if not network.separable:
            raise ConfigError(
                "this model does not compute every window by itself, so that several processes "
                "would train another model than one.",
                fix="Train it without torchrun.",
            )
        if batch_size < self.size:
            raise ConfigError(
                f"{self.size} processes share batches of {batch_size} windows.",
                fix="Start fewer processes or raise training.batch_size.",
            )
        if self.from_first(list(identity)) != list(identity):
            raise RunError(
                "the processes were given different data, settings or seeds.",
                fix="Give all the same, and a random_state that is a number.",
            )

    def part(self, windows: int) -> Part:
        """What this process has of so many windows; all, where there are too few for everyone."""
        if windows < self.size:
            return Part(slice(0, windows), self.size)
        first, last = (windows * r // self.size for r in (self.rank, self.rank + 1))
        return Part(slice(first, last))

    def own_seed(self, seed: int, epoch: int) -> int:
        """For what this process alone draws in an epoch: nothing of it need be kept to resume."""
        sequence = np.random.SeedSequence([seed, 5, self.rank, epoch])
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def add_up(self, network: Network, values: Tensor) -> Tensor:
        """Gradients, `Network.counted` and these values, added over all processes.

        Gradients and counts are changed in place. A parameter that has no gradient in any
        process keeps none: its optimiser state must not move.

        Parameters
        ----------
        values : [V]

        Returns
        -------
        [V]
        """
        if self.size == 1:
            return values
        learned = [p for p in network.parameters() if p.requires_grad]
        counts = network.counted()
        given = torch.tensor([float(p.grad is not None) for p in learned])
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in learned]
        parts += [*counts, given.to(values.device), values]
        # One message: a step of a small network would otherwise wait for each of its weights.
        total = torch.cat([part.detach().flatten().to(values.dtype) for part in parts])
        dist.all_reduce(total)
        sums = torch.split(total, [part.numel() for part in parts])
        gradients, counted = sums[: len(learned)], sums[len(learned) : -2]
        for p, gradient, there in zip(learned, gradients, sums[-2].tolist(), strict=True):
            p.grad = gradient.view_as(p).to(p.dtype) if there else None
        for count, found in zip(counts, counted, strict=True):
            count.copy_(found.view_as(count))
        told: Tensor = sums[-1]
        return told

    def from_first(self, thing: T) -> T:
        """What the first process has, in all of them."""
        if self.size == 1:
            return thing
        box = [thing if self.first else None]
        dist.broadcast_object_list(box, src=0)
        return cast(T, box[0])


@contextmanager
def process_group(device: str) -> Iterator[Ranks]:
    """Within: the processes that torchrun started are one group; without torchrun, one process.

    Each has the GPU of its number on its machine where `device` is one.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield Ranks()
        return
    # Imported while there is a group, as the first optimiser does, it keeps that group in default
    # arguments: its threads then outlive it, and now and then abort the process at its end.
    import_module("torch.distributed.nn.functional")
    graphics = device != "cpu" and torch.cuda.is_available()
    if graphics:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if graphics else "gloo", timeout=PATIENCE)
    try:
        yield Ranks.current()
    finally:
        dist.destroy_process_group()
