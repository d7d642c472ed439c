"""Settings that the networks among the rivals share."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from maestro_ts.baselines.grid_front_end import GridSettings

__all__ = ["AttentionSettings", "NetworkSettings", "RoutedSettings"]


class NetworkSettings(GridSettings):
    """The grid, and what an absent modality is."""

    absent: Literal["native", "zero"] = Field(
        "native", description="Modality: in the model's own way, or present and 0 throughout."
    )


class AttentionSettings(NetworkSettings):
    """Layers of attention."""

    width: int = Field(128, ge=2)
    layers: int = Field(2, ge=1)
    heads: int = Field(8, ge=1)
    feed_forward: int = Field(256, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1, description="In the layers.")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width={self.width} must be divisible by heads={self.heads}")
        return self


class RoutedSettings(AttentionSettings):
    """Layers of attention with sparse experts."""

    experts: int = Field(4, ge=2)
    chosen: int = Field(2, ge=1, description="Experts per token.")

    @model_validator(mode="after")
    def _chosen_fit(self) -> Self:
        if self.chosen > self.experts:
            raise ValueError(f"chosen={self.chosen} exceeds experts={self.experts}")
        return self
