"""One row of tokens per window for the fusion: those that are there first, without gaps.

In the order of the network: the tokens of each present modality, one token for each absent one,
the duration's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Assembly"]


class Assembly(nn.Module):
    """Which tokens of a pool [B, P, D] make a window's row.

    The pool holds, in any order, all tokens that data may have, then (unless an absent modality is
    encoded like a present one) a missing token per modality, then the duration's if there is one.

    Parameters
    ----------
    owners : sequence of int
        Modality of each data token of the pool.
    places : sequence of int
        Place of each among all data tokens in the order of the network.
    modalities : int
    absent : {"token", "none", "symbols"}
    duration : bool
    device : torch.device
    """

    def __init__(
        self,
        owners: Sequence[int],
        places: Sequence[int],
        modalities: int,
        absent: str,
        duration: bool,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.absent, self.duration, self.varies = absent, duration, absent != "symbols"
        data = len(owners)
        self.longest = (max(data, modalities) if absent == "none" else data) + duration
        order = torch.tensor(places, device=device)
        if self.varies:
            later = torch.arange(data, data + modalities + duration, device=device)
            order = torch.cat([order, later])
            self.register_buffer("owners", torch.tensor(owners, device=device))
        else:
            order = torch.cat([order.argsort(), torch.arange(data, self.longest, device=device)])
        self.register_buffer("order", order)
        self.owners: Tensor
        self.order: Tensor
        self.data = data

    def forward(self, pool: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """[B, P, D] and [B, M] → [1, B, N, D] and lengths n [B]; None: all are N."""
        batch, size, width = pool.shape
        if not self.varies:
            return pool.index_select(1, self.order)[None], None
        from_data = present.index_select(1, self.owners)
        silent = ~present
        if self.absent == "none":
            silent = silent & ~present.any(dim=1, keepdim=True)
        parts = [from_data, silent]
        if self.duration:
            parts.append(torch.ones_like(present[:, :1]))
        used = torch.cat(parts, dim=1)
        # Those that are used before all others, each kind in the order of the network.
        rank = used * size - self.order
        chosen = rank.topk(self.longest, dim=1).indices
        first = torch.arange(batch, device=pool.device)[:, None] * size
        rows = F.embedding(chosen + first, pool.view(-1, width))
        return rows[None], used.sum(dim=1)
