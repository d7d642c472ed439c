"""ShaSpec: what modalities share and what is specific to each, and shared features for the absent.

*Published*: Wang et al., CVPR 2023 (arXiv 2307.14126): a shared encoder and one per modality;
``shared + projection([shared, specific])`` of what is there, the mean of the shared features where
a modality is absent; a loss that aligns shared features and one that tells modalities apart by
specific ones, weights 0.1 and 0.02. *Ours*: encoders of three convolutions; the mean as the text
has it, where the public code takes the first modality; both losses over modalities that are
present, where that code draws features of something towards features of nothing; alignment of all
pairs, not of neighbours in a ring. It is trained under the curriculum from its warm-up on, instead
of in two phases. A window that has nothing is one learned vector. Under ``zero`` an absent modality
is encoded as 0 throughout, like a present one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.conv_encoder import ConvEncoder, seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import kept, masked_mean
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["Settings", "ShaSpec", "front_end", "network"]


class Settings(NetworkSettings):
    """Weights of the losses as published."""

    width: int = Field(64, ge=2)
    alignment: float = Field(0.1, ge=0, description="Weight of the distance of shared features.")
    domain: float = Field(0.02, ge=0, description="Weight of telling modalities by specific ones.")
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    head_width: int = Field(128, ge=1)
    head_dropout: float = Field(0.3, ge=0, lt=1)


class ShaSpec(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, outputs: int, settings: Settings) -> None:
        super().__init__()
        width, count = settings.width, len(schema)
        self.names, self.settings = schema.names, settings
        self.adapters = nn.ModuleList(nn.Conv1d(m.channels, width, 1) for m in schema)
        self.shared = ConvEncoder(width, (width,) * 3, settings.encoder_dropout)
        self.specific = nn.ModuleList(
            ConvEncoder(width, (width,) * 3, settings.encoder_dropout) for _ in schema
        )
        self.projection = nn.Conv1d(2 * width, width, 3, padding=1)
        self.nothing = nn.Parameter(0.02 * torch.randn(width))
        self.head = nn.Sequential(
            nn.LayerNorm(width * count),
            nn.Linear(width * count, settings.head_width),
            nn.ReLU(),
            Dropout(settings.head_dropout),
            nn.Linear(settings.head_width, outputs),
        )
        # A single modality has nothing to be told from.
        self.domain = nn.Linear(width, count) if count > 1 else None

    def pooled(self, batch: Batch) -> Tensor:
        """Features of all modalities side by side, [B, M D]."""
        return self._features(batch)[0].flatten(1)

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]; in training the two losses."""
        features, shared, specific, there = self._features(batch)
        logits = self.head(features.flatten(1))
        if not self.training:
            return Output(logits)
        if self.domain is None:
            return Output(logits)
        loss = self.settings.alignment * alignment_of(shared, there)
        named = self.domain(specific).transpose(1, 2)  # [B, M classes, M]
        told = F.cross_entropy(named, _numbers_of(there), reduction="none")
        loss = loss + self.settings.domain * _mean_where(told, there)
        return Output(logits, aux_loss=loss)

    def _features(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Fused, shared and specific ones, each [B, M, D], and who is looked at, [B, M]."""
        way, dtype = self.settings.absent, self.nothing.dtype
        there = batch.present | (way == "zero")
        adapted, steps, specific = [], [], []
        for m, name in enumerate(self.names):
            steps.append(seen(batch.valid[name], batch.present[:, m], way))
            x = self.adapters[m](batch.inputs[name].to(dtype).transpose(1, 2))
            adapted.append(kept(x, steps[m]))
            specific.append(self.specific[m](adapted[m], steps[m])[0])
        # All modalities as one batch, modality by modality.
        s, after = self.shared(torch.cat(adapted), torch.cat(steps))
        r = torch.cat(specific)
        fused = s + self.projection(torch.cat([s, r], dim=1))
        own, common, apart = (
            masked_mean(x, after).view(len(self.names), len(batch), -1).transpose(0, 1)
            for x in (fused, s, r)
        )
        mean = common.sum(dim=1) / there.sum(dim=1, keepdim=True).clamp(min=1)
        mean = torch.where(there.any(dim=1, keepdim=True), mean, self.nothing)
        return torch.where(there[..., None], own, mean[:, None]), common, apart, there


def alignment_of(shared: Tensor, there: Tensor) -> Tensor:
    """Mean distance of the shared features [B, M, D] of all pairs of present modalities."""
    first, second = torch.triu_indices(there.shape[1], there.shape[1], 1, device=there.device)
    apart = (shared[:, first] - shared[:, second]).abs().mean(dim=2)
    return _mean_where(apart, there[:, first] & there[:, second])


def _numbers_of(there: Tensor) -> Tensor:
    return torch.arange(there.shape[1], device=there.device).expand(there.shape)


def _mean_where(x: Tensor, there: Tensor) -> Tensor:
    return torch.where(there, x, 0.0).sum() / there.sum().clamp(min=1)


def front_end(recipe: Recipe) -> FrontEnd:
    """The common grid: one encoder must see equal times."""
    return GridFrontEnd(recipe.own(Settings))


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> ShaSpec:
    """Untrained."""
    return ShaSpec(fitted.schema, n_outputs, recipe.own(Settings))
