"""What the network needs to know of each modality: channels, views, tokens."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_ts.model.distil import distilled_length
from maestro_ts.recipe import Recipe
from maestro_ts.symbols.symbolizer import Symbolizer

__all__ = ["Shape", "shapes"]


@dataclass(frozen=True)
class Shape:
    """What the network needs to know of one modality.

    Attributes
    ----------
    length, encoded : int
        Tokens before and after its encoder.
    summary : int
        Summary symbols per channel; 0: none.
    words : int
        Per bin; 0: none.
    """

    name: str
    channels: int
    views: int
    length: int
    encoded: int
    summary: int
    words: int

    @property
    def tokens(self) -> int:
        """Tokens it brings into the fusion when present."""
        return self.encoded + (self.summary > 0)


def shapes(symbolizer: Symbolizer, recipe: Recipe) -> tuple[Shape, ...]:
    """Of every modality, in the schema's order."""
    found = []
    for m in symbolizer.schema_:
        length = symbolizer.lengths_[m.name]
        encoded = length
        if recipe.model.encoder_distil:
            for _ in range(recipe.model.encoder_layers):
                encoded = distilled_length(encoded)
        found.append(
            Shape(
                m.name,
                m.channels,
                len(symbolizer.views_of(m)),
                length,
                encoded,
                symbolizer.summary_count(m),
                symbolizer.word_count(m.name),
            )
        )
    return tuple(found)
