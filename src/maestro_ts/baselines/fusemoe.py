"""FuseMoE: streams of modalities that meet in sparse experts instead of cross-attention.

*Published*: Han et al., NeurIPS 2024 (arXiv 2402.03226): a Transformer stream per modality; in
every layer experts, shared by all modalities, of which a router per modality takes the nearest two
(logits are minus the distance to each expert's own vector); noise on them in training, and a loss
of weight 0.01 for unlike shares; a learned vector instead of an absent modality's embedding.
*Ours*: experts work on tokens, not on a whole window's, which would need ten million parameters
each; what they give is divided by the number of present modalities; the head reads the mean of the
valid steps. Of the public code was not copied that rows mix windows, that routers are never
trained, that noise stays in evaluation, and that all distances tie at first. An absent modality is
not routed: its stream begins as the learned vector, receives what present ones send, and is read.
Under ``zero`` it is 0, and present.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.attention import Attention
from maestro_ts.baselines.conv_encoder import seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import RoutedSettings
from maestro_ts.baselines.noisy_routers import NearestRouter, unlike
from maestro_ts.baselines.stacked_channels import common_steps
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["FuseMoe", "Settings", "front_end", "network"]


class Settings(RoutedSettings):
    """Ours; experts as published in number chosen and in the weight of balance."""

    grid_hz: float = Field(16.0, gt=0)
    grid_steps: int = Field(128, ge=2)
    width: int = Field(32, ge=2)
    feed_forward: int = Field(128, ge=1)
    expert_width: int = Field(64, ge=1)
    balance: float = Field(0.01, ge=0, description="Weight of the loss for unlike shares.")


class FuseMoe(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    steps, outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, steps: int, outputs: int, settings: Settings) -> None:
        super().__init__()
        width, count = settings.width, len(schema)
        self.names, self.settings = schema.names, settings
        self.embeddings = nn.ModuleList(nn.Linear(m.channels, width, bias=False) for m in schema)
        self.modality = nn.Parameter(0.02 * torch.randn(count, width))
        self.missing = nn.Parameter(0.02 * torch.randn(count, width))
        self.positions = nn.Parameter(0.02 * torch.randn(steps, width))
        self.layers = nn.ModuleList(Layer(count, settings) for _ in range(settings.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in schema)
        self.mix = nn.Sequential(
            nn.Linear(count * width, count * width),
            nn.ReLU(),
            Dropout(settings.dropout),
            nn.Linear(count * width, count * width),
        )
        self.head = nn.Linear(count * width, outputs)

    def pooled(self, batch: Batch) -> Tensor:
        """Means of all streams side by side, [B, M D]."""
        return self._streams(batch)[0]

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]; in training the loss for unlike shares."""
        h, loss = self._streams(batch)
        logits = self.head(h + self.mix(h))
        return Output(logits, aux_loss=self.settings.balance * loss if self.training else None)

    def _streams(self, batch: Batch) -> tuple[Tensor, Tensor]:
        way, dtype = self.settings.absent, self.positions.dtype
        present = batch.present | (way == "zero")
        streams, routed = [], []
        for m, name in enumerate(self.names):
            steps = seen(batch.valid[name], batch.present[:, m], way)
            own = self.embeddings[m](batch.inputs[name].to(dtype)) + self.modality[m]
            begin = torch.where(present[:, m, None, None], own, self.missing[m])
            streams.append(begin + self.positions)
            routed.append(steps)
        u, there = torch.stack(streams, dim=1), torch.stack(routed, dim=1)  # [B, M, T, D]
        read = there | ~present[..., None]  # the stream of an absent one has every step
        loss = u.new_zeros(())
        for layer in self.layers:
            u, uneven = layer(u, there, read)
            loss = loss + uneven
        means = [
            masked_mean(norm(u[:, m]).transpose(1, 2), read[:, m])
            for m, norm in enumerate(self.norms)
        ]
        return torch.cat(means, dim=1), loss


class Layer(nn.Module):
    """Attention over time and a feed-forward of each modality; experts of all between the two."""

    def __init__(self, count: int, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.attentions = nn.ModuleList(Attention(width, settings.heads) for _ in range(count))
        self.routers = nn.ModuleList(
            NearestRouter(width, settings.experts, settings.chosen) for _ in range(count)
        )
        self.experts = SharedExperts(count, settings)
        self.feed_forwards = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, settings.feed_forward),
                nn.ReLU(),
                Dropout(settings.dropout),
                nn.Linear(settings.feed_forward, width),
            )
            for _ in range(count)
        )
        self.before, self.between, self.after = (
            nn.ModuleList(nn.LayerNorm(width) for _ in range(count)) for _ in range(3)
        )
        self.dropout = Dropout(settings.dropout)

    def forward(self, u: Tensor, there: Tensor, read: Tensor) -> tuple[Tensor, Tensor]:
        """Streams [B, M, T, D], what is routed and what is a key [B, M, T] → streams, loss."""
        attended, tokens, weights, loss = [], [], [], u.new_zeros(())
        for m, (attention, router) in enumerate(zip(self.attentions, self.routers, strict=True)):
            x = u[:, m] + self.dropout(attention(self.before[m](u[:, m]), read[:, m]))
            n = self.between[m](x)
            own, chances, _ = router(n)
            attended.append(x)
            tokens.append(n)
            weights.append(torch.where(there[:, m, :, None], own, 0.0))
            loss = loss + unlike(own, chances, there[:, m])
        sent = self.experts(torch.stack(tokens, dim=1), torch.stack(weights, dim=1))
        present = there.any(dim=2).sum(dim=1).clamp(min=1)
        u = torch.stack(attended, dim=1) + self.dropout(sent / present[:, None, None, None])
        out = [
            u[:, m] + self.dropout(feed(self.after[m](u[:, m])))
            for m, feed in enumerate(self.feed_forwards)
        ]
        return torch.stack(out, dim=1), loss


class SharedExperts(nn.Module):
    """Experts that every modality sends tokens to, each with an update for every modality."""

    def __init__(self, count: int, settings: Settings) -> None:
        super().__init__()
        width, hidden = settings.width, settings.expert_width
        self.count, self.number = count, settings.experts
        self.inner = nn.Parameter(torch.randn(settings.experts, width, hidden) * width**-0.5)
        # Biases as vectors, which weight decay leaves alone.
        self.inner_bias = nn.Parameter(torch.zeros(settings.experts * hidden))
        outer = torch.randn(settings.experts, hidden, count * width) * hidden**-0.5
        self.outer = nn.Parameter(outer)
        self.outer_bias = nn.Parameter(torch.zeros(settings.experts * count * width))
        self.dropout = Dropout(settings.dropout)

    def forward(self, tokens: Tensor, weights: Tensor) -> Tensor:
        """Tokens [B, M, T, D] and their weights [B, M, T, E] → updates [B, M, T, D]."""
        inner = torch.einsum("bmtd,edh->bmteh", tokens, self.inner)
        inner = inner + self.inner_bias.view(self.number, -1)
        hidden = self.dropout(F.gelu(inner)) * weights[..., None]
        # The outer maps are linear: what modalities send is added up before them.
        sent = torch.einsum("bteh,eho->bto", hidden.sum(dim=1), self.outer)
        sent = sent + weights.sum(dim=1) @ self.outer_bias.view(self.number, -1)
        return sent.view(*sent.shape[:2], self.count, -1).transpose(1, 2)


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid, at most 128 steps: experts meet all modalities at the same step."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> FuseMoe:
    """Untrained."""
    return FuseMoe(fitted.schema, common_steps(fitted), n_outputs, recipe.own(Settings))
