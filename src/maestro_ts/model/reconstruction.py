"""Masked-symbol modelling: the fused tokens of a window → the symbols of its hidden bins.

A query per encoded token (its modality's and its position's vector, as in the fusion) attends to
the fused tokens of the window and gives the Gaussian centres of the symbols in its bins, for every
channel and view. A modality that is hidden as a whole is asked in the same way, from the others.
The symbols are ordered, so a centre is estimated and no class (docs/method.md).
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.model.fused import Fused
from maestro_ts.model.maestro import Maestro
from maestro_ts.symbols.alphabet import MISSING, centres

__all__ = ["MaskedModelling", "reconstruction_loss"]

HUBER = 1.0  # in deviations; beyond, an error counts linearly


class MaskedModelling(Network):
    """A network without its head, and a small decoder that is dropped after the training.

    Parameters
    ----------
    network : Maestro
        Loses its head.
    """

    exact = ("network.budget.",)

    def __init__(self, network: Maestro) -> None:
        super().__init__()
        network.head = nn.Identity()
        self.network = network
        self.decoder = Decoder(network)

    def forward(self, batch: Batch) -> Output:
        """Centres of all symbols in the place of logits, [B, Σ L·C·V], modality by modality."""
        fused = self.network.fuse(batch)
        return replace(fused.output, logits=self.decoder(fused, self.queries()))

    def queries(self) -> Tensor:
        """What is asked for, [Q, D]: every token of every modality."""
        network = self.network
        return torch.cat(
            [
                network.position[network.aligned(shape.encoded)] + network.modality[m]
                for m, shape in enumerate(network.shapes)
            ]
        )

    def set_progress(self, share: float) -> None:
        """As the network alone."""
        self.network.set_progress(share)

    def after_step(self) -> None:
        """As the network alone."""
        self.network.after_step()


class Decoder(nn.Module):
    """``x ← LN(q + Attn(q, fused))``, ``x ← LN(x + FF(x))``, then a linear map per modality."""

    def __init__(self, network: Maestro) -> None:
        super().__init__()
        model = network.recipe.model
        width, self.heads, self.shapes = model.width, model.heads, network.shapes
        self.ask = nn.Linear(width, width)
        self.keys = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.feed_forward_norm = nn.LayerNorm(width)
        self.stride = 2**model.encoder_layers if model.encoder_distil else 1  # bins of a token
        self.maps = nn.ModuleList(
            nn.Linear(width, self.stride * s.channels * s.views) for s in self.shapes
        )

    def forward(self, fused: Fused, queries: Tensor) -> Tensor:
        """Fused tokens of B windows and queries [Q, D] → [B, Σ L·C·V]."""
        x = self.attention_norm(queries + self.out(self._attend(fused, queries)))
        x = self.feed_forward_norm(x + self.feed_forward(x))
        parts = x.split([s.encoded for s in self.shapes], dim=1)
        found = []
        for shape, part, linear in zip(self.shapes, parts, self.maps, strict=True):
            bins = linear(part).view(len(x), shape.encoded * self.stride, -1)
            found.append(bins[:, : shape.length].flatten(1))
        return torch.cat(found, dim=1)

    def _attend(self, fused: Fused, queries: Tensor) -> Tensor:
        """Every window's answers, [B, Q, D]."""
        spans, packed = fused.spans, self.keys(fused.tokens)
        q = self.ask(queries).view(1, len(queries), self.heads, -1).transpose(1, 2)
        parts = []
        for block in spans.blocks:
            split = block.of(packed).view(block.rows, block.length, 2, self.heads, -1)
            k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
            mixed = F.scaled_dot_product_attention(q.expand(block.rows, -1, -1, -1), k, v)
            parts.append(mixed.transpose(1, 2).flatten(2))
        back = torch.tensor(spans.order).argsort().to(packed.device)
        return torch.cat(parts).index_select(0, back)


def reconstruction_loss(found: Tensor, seen: Batch, whole: Batch, alphabet: int) -> Tensor:
    """Mean Huber loss over hidden symbols, every modality with hidden ones counting alike.

    Hidden is a bin that holds a symbol in `whole` and is not valid in `seen`; what is missing by
    nature is asked of nobody.

    Parameters
    ----------
    found : [B, Σ L·C·V]
        Centres, modality by modality in the order of the batches.
    seen, whole : Batch
        The same windows under a mask and without one.
    """
    table = torch.tensor(centres(alphabet), dtype=found.dtype, device=found.device)
    sizes = [symbols[0].numel() for symbols in whole.inputs.values()]
    parts = torch.split(found, sizes, dim=1)
    total, count = found.new_zeros(()), found.new_zeros(())
    for (name, wanted), part in zip(whole.inputs.items(), parts, strict=True):
        hidden = (wanted != MISSING) & ~seen.valid[name][..., None, None]
        each = F.huber_loss(
            part.view(wanted.shape), table[wanted.long()], reduction="none", delta=HUBER
        )
        asked = hidden.to(found.dtype)
        number = asked.sum()
        total = total + (each * asked).sum() / number.clamp(min=1)
        count = count + (number > 0).to(found.dtype)
    return total / count.clamp(min=1)
