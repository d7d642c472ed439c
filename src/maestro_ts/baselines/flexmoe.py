"""Flex-MoE: a bank of learned tokens for what is missing, and experts for combinations.

*Published*: Yun et al., NeurIPS 2024: patch tokens per modality; tokens of an absent one from a
table by observed combination and missing modality; attention over all; sparse experts, of which 4
of 16 by a noisy router; balance over windows that have everything, and for the others the router is
taught the expert of their combination; weight 0.01 of both. *Ours*: the bank is a sum, of one term
per missing modality and one per pair with an observed one (the table has 2^M rows), so that
combinations never seen have tokens too; the E − 1 combinations with the fewest missing have experts
and others take the nearest one's; sums of attention and experts keep what entered them; patches at
native rates; the curriculum instead of windows sorted by what they lack. Losses hold for the batch
at hand, and nothing grows in evaluation. A patch without a valid sample is no key and not averaged.
Under ``zero`` an absent modality is 0, and present.
"""

from __future__ import annotations

import math
from itertools import combinations, islice

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.conv_encoder import seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.masked_token_transformer import in_patches
from maestro_ts.baselines.network_settings import RoutedSettings
from maestro_ts.baselines.noisy_routers import LinearRouter, unlike
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["FlexMoe", "Settings", "combinations_of", "front_end", "network"]


class Settings(RoutedSettings):
    """As published; the grid is each modality's own rate, with at most `grid_steps`."""

    layers: int = Field(1, ge=1)
    heads: int = Field(4, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    patches: int = Field(16, ge=1, description="Per window and modality.")
    experts: int = Field(16, ge=3)
    chosen: int = Field(4, ge=1, description="Experts per token.")
    router: float = Field(0.01, ge=0, description="Weight of the routers' losses.")


class FlexMoe(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps : dict of modality name to int
    outputs : int
    settings : Settings
    """

    def __init__(
        self, schema: Schema, steps: dict[str, int], outputs: int, settings: Settings
    ) -> None:
        super().__init__()
        width, count, patches = settings.width, len(schema), settings.patches
        self.names, self.settings = schema.names, settings
        self.lengths = [math.ceil(steps[name] / patches) for name in self.names]
        self.embeddings = nn.ModuleList(
            nn.Linear(m.channels * length, width)
            for m, length in zip(schema, self.lengths, strict=True)
        )
        self.positions = nn.Parameter(0.02 * torch.randn(count, patches, width))
        self.missing = self.by_observed = None
        if settings.absent == "native":
            self.missing = nn.Parameter(0.02 * torch.randn(count, patches, width))
            if count > 1:  # of observed i and missing j
                pairs = 0.02 * torch.randn(count, count, patches, width)
                self.by_observed = nn.Parameter(pairs)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        table = combinations_of(count, settings.experts - 1)
        self.register_buffer("table", table, persistent=False)
        self.head = nn.Linear(count * width, outputs)

    def pooled(self, batch: Batch) -> Tensor:
        """Means of every modality's tokens side by side, [B, M D]."""
        return self._fused(batch)[0]

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]; in training the routers' losses."""
        pooled, loss = self._fused(batch)
        aux = self.settings.router * loss if self.training else None
        return Output(self.head(pooled), aux_loss=aux)

    def _fused(self, batch: Batch) -> tuple[Tensor, Tensor]:
        present = batch.present | (self.settings.absent == "zero")
        x, there = self._tokens(batch, present)
        keys = there | ~present[..., None]  # tokens of the bank are all there
        expert = self._experts_of(present)
        flat, loss = x.flatten(1, 2), x.new_zeros(())
        for layer in self.layers:
            flat, own = layer(flat, keys.flatten(1), there.flatten(1), expert)
            loss = loss + own
        tokens = flat.view(x.shape).flatten(0, 1).transpose(1, 2)
        return masked_mean(tokens, keys.flatten(0, 1)).view(len(batch), -1), loss

    def _tokens(self, batch: Batch, present: Tensor) -> tuple[Tensor, Tensor]:
        """Patches or what stands for them [B, M, P, D], and which were measured [B, M, P]."""
        tokens, there = [], []
        for m, name in enumerate(self.names):
            steps = seen(batch.valid[name], batch.present[:, m], self.settings.absent)
            x = batch.inputs[name].to(self.positions.dtype)
            lacking = self.settings.patches * self.lengths[m] - x.shape[1]
            x, steps = F.pad(x, (0, 0, 0, lacking)), F.pad(steps, (0, lacking))
            values, patches = in_patches(x, steps, self.lengths[m])
            tokens.append(self.embeddings[m](values))
            there.append(patches)
        x = torch.stack(tokens, dim=1)
        if self.missing is not None:
            x = torch.where(present[..., None, None], x, self._bank(present))
        return x + self.positions, torch.stack(there, dim=1)

    def _bank(self, present: Tensor) -> Tensor:
        assert self.missing is not None
        if self.by_observed is None:
            return self.missing
        share = present.to(self.missing.dtype) / present.sum(dim=1, keepdim=True).clamp(min=1)
        return self.missing + torch.einsum("bi,ijpd->bjpd", share, self.by_observed)

    def _experts_of(self, present: Tensor) -> Tensor:
        """Number of the expert of each combination, [B]; 0: everything is there."""
        table = self.get_buffer("table")
        if not len(table):
            return torch.zeros_like(present[:, 0], dtype=torch.int64)
        apart = (present[:, None] != table).sum(dim=2)
        return torch.where(present.all(dim=1), 0, 1 + apart.argmin(dim=1))


class Layer(nn.Module):
    """Attention without biases before it, then sparse experts; a residual around each."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        width, experts = settings.width, settings.experts
        self.heads, self.experts = settings.heads, experts
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.router = LinearRouter(width, experts, settings.chosen)
        hidden = settings.feed_forward
        self.inner = nn.Linear(width, experts * hidden)
        self.outer = nn.Parameter(torch.randn(experts, hidden, width) * hidden**-0.5)
        self.outer_bias = nn.Parameter(torch.zeros(experts * width))  # no decay of vectors
        self.dropout = Dropout(settings.dropout)

    def forward(
        self, x: Tensor, keys: Tensor, there: Tensor, expert: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens [B, L, D], keys and measured ones [B, L], experts [B] → tokens, loss."""
        x = x + self.dropout(self._attended(self.first(x), keys))
        n = self.second(x)
        weights, chances, scores = self.router(n)
        hidden = F.gelu(self.inner(n)).view(*n.shape[:2], self.experts, -1)
        hidden = self.dropout(hidden) * weights[..., None]
        mixed = torch.einsum("bleh,ehd->bld", hidden, self.outer)
        mixed = mixed + weights @ self.outer_bias.view(self.experts, -1)
        loss = router_loss(weights, chances, scores, there, expert)
        return x + self.dropout(mixed), loss

    def _attended(self, x: Tensor, keys: Tensor) -> Tensor:
        # Some key is there in any window: what is absent has tokens of the bank.
        q, k, v = (
            part.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for part in self.project(x).chunk(3, dim=-1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=keys[:, None, None, :])
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result


def router_loss(
    weights: Tensor, chances: Tensor, scores: Tensor, there: Tensor, expert: Tensor
) -> Tensor:
    """Balance of all experts over whole windows; of the others' over partial ones, which are
    also taught their own. Of tokens that were measured.
    """
    whole = there & (expert == 0)[:, None]
    partial = there & (expert != 0)[:, None]
    loss = unlike(weights, chances, whole)
    loss = loss + unlike(weights[..., 1:], chances[..., 1:], partial)
    wanted = expert[:, None].expand(there.shape)
    told = F.cross_entropy(scores.transpose(1, 2), wanted, reduction="none")
    return loss + torch.where(partial, told, 0.0).sum() / partial.sum().clamp(min=1)


def combinations_of(count: int, most: int) -> Tensor:
    """Combinations of modalities that lack some and not all, fewest missing first, [≤ most, M]."""
    lacking = (c for size in range(1, count) for c in combinations(range(count), size))
    rows = [[m not in c for m in range(count)] for c in islice(lacking, most)]
    return torch.tensor(rows, dtype=torch.bool).view(-1, count)


def front_end(recipe: Recipe) -> FrontEnd:
    """Each modality at its own rate."""
    return GridFrontEnd(recipe.own(Settings), native=True)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> FlexMoe:
    """Untrained."""
    assert isinstance(fitted, GridFrontEnd)
    return FlexMoe(fitted.schema, fitted.steps, n_outputs, recipe.own(Settings))
