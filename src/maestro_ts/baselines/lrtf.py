"""Low-rank tensor fusion: a product over modalities, of which each has a factor of low rank.

*Published*: Liu et al., ACL 2018. With ``z = [1; h]`` of every modality's vector, the weight of
their outer product is a sum of R terms, so that ``y = Σ_r w_r Π_m z_m F_m[r] + b``. *Ours*: the
encoders, which are convolutions at the modality's own rate; and factors that begin as 1: a product
of ten or more terms of the usual initial size vanishes, and its gradients with it. What is stored
is how far a constant row is from 1, so that weight decay leads there. Of the public version was not
copied that factors are in no list of parameters (neither trained, moved nor stored), nor that their
initial size comes of the wrong axes. An absent modality has ``h = 0``, which leaves its constant
row as what was learned for absence; under ``zero`` it is encoded as 0 throughout. The product is
taken in float32 at least.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from maestro_ts.baselines.conv_encoder import ConvEncoder, seen
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.grid_front_end import GridFrontEnd
from maestro_ts.baselines.masked_steps import masked_mean
from maestro_ts.baselines.network_settings import NetworkSettings
from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.recipe import Recipe
from maestro_ts.signals.modality import Schema

__all__ = ["LowRankFusion", "Settings", "front_end", "network"]


class Settings(NetworkSettings):
    """The grid is each modality's own rate, with at most `grid_steps`."""

    width: int = Field(64, ge=2, description="Of encoders and product; first block: a half.")
    rank: int = Field(4, ge=1)
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    head_dropout: float = Field(0.3, ge=0, lt=1)


class LowRankFusion(Network):
    """See the module.

    Parameters
    ----------
    schema : Schema
    outputs : int
    settings : Settings
    """

    def __init__(self, schema: Schema, outputs: int, settings: Settings) -> None:
        super().__init__()
        width, rank, count = settings.width, settings.rank, len(schema)
        self.names, self.absent = schema.names, settings.absent
        self.encoders = nn.ModuleList(
            ConvEncoder(m.channels, (width // 2, width, width), settings.encoder_dropout)
            for m in schema
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in schema)
        self.factors = nn.Parameter(torch.randn(count, rank, width + 1, width))
        with torch.no_grad():
            self.factors[:, :, 0] *= 0.02
            self.factors[:, :, 1:] *= (width * count) ** -0.5
        self.weight = nn.Parameter(torch.full((rank,), 1.0 / rank))
        self.bias = nn.Parameter(torch.zeros(width))
        self.head = nn.Sequential(
            nn.Linear(width, width),
            nn.ReLU(),
            Dropout(settings.head_dropout),
            nn.Linear(width, outputs),
        )

    def pooled(self, batch: Batch) -> Tensor:
        """The weighted sum of products, [B, D]."""
        dtype = self.factors.dtype
        vectors = []
        for m, name in enumerate(self.names):
            present = batch.present[:, m]
            x = batch.inputs[name].to(dtype).transpose(1, 2)
            steps = seen(batch.valid[name], present, self.absent)
            h = self.norms[m](masked_mean(*self.encoders[m](x, steps)))
            there = present | (self.absent == "zero")
            vectors.append(torch.where(there[:, None], h, 0.0).to(dtype))
        with torch.autocast(self.factors.device.type, enabled=False):
            h = torch.stack(vectors)  # [M, B, D]
            factors = 1.0 + self.factors[:, None, :, 0]  # [M, 1, R, D]
            factors = factors + torch.einsum("mbi,mrio->mbro", h, self.factors[:, :, 1:])
            return (factors.prod(dim=0) * self.weight[:, None]).sum(dim=1) + self.bias

    def forward(self, batch: Batch) -> Output:
        """Logits [B, K]."""
        return Output(self.head(self.pooled(batch)))


def front_end(recipe: Recipe) -> FrontEnd:
    """Each modality at its own rate."""
    return GridFrontEnd(recipe.own(Settings), native=True)


def network(fitted: FrontEnd, n_outputs: int, recipe: Recipe) -> LowRankFusion:
    """Untrained."""
    return LowRankFusion(fitted.schema, n_outputs, recipe.own(Settings))
