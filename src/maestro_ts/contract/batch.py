"""`Batch`: what a model's front end made of some windows. In every mask True means there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

__all__ = ["Batch"]


@dataclass(frozen=True)
class Batch:
    """Dense, collated, on one device.

    Attributes
    ----------
    inputs : dict of modality name to Tensor
        Symbols ``[B, L, C, V]`` uint8, or values ``[B, T, C]`` float.
    valid : dict of modality name to Tensor, ``[B, L]`` or ``[B, T]``, bool
    present : Tensor, ``[B, M]``, bool
        In the schema's order.
    host_present : Tensor, ``[B, M]``, bool, on the CPU
        The same, so that packing needs no device synchronisation.
    extras : dict of str to Tensor
        What a front end adds of its own; first axis B.
    targets : Tensor, ``[B]``, or None
    weights : Tensor, ``[B]``, float, or None
    index : Tensor, ``[B]``, int64
        Rows of the windows the batch was made of.
    """

    inputs: Mapping[str, Tensor]
    valid: Mapping[str, Tensor]
    present: Tensor
    host_present: Tensor
    index: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    targets: Tensor | None = None
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.host_present)

    def part(self, rows: slice) -> Batch:
        """Some of its windows."""

        def cut(t: Tensor | None) -> Tensor | None:
            return None if t is None else t[rows]

        return replace(
            self,
            inputs={k: v[rows] for k, v in self.inputs.items()},
            valid={k: v[rows] for k, v in self.valid.items()},
            extras={k: v[rows] for k, v in self.extras.items()},
            present=self.present[rows],
            host_present=self.host_present[rows],
            index=self.index[rows],
            targets=cut(self.targets),
            weights=cut(self.weights),
        )

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device; `host_present` stays on the CPU."""

        def move(t: Tensor | None) -> Tensor | None:
            return None if t is None else t.to(device, non_blocking=True)

        return replace(
            self,
            inputs={k: v.to(device, non_blocking=True) for k, v in self.inputs.items()},
            valid={k: v.to(device, non_blocking=True) for k, v in self.valid.items()},
            extras={k: v.to(device, non_blocking=True) for k, v in self.extras.items()},
            present=self.present.to(device, non_blocking=True),
            index=self.index,
            targets=move(self.targets),
            weights=move(self.weights),
        )
