"""MAESTRO's front end: the symbolizer, cached, with training masks applied to bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.contract.batch import Batch
from maestro_ts.errors import ConfigError
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.masks import Mask
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.dictionary import Words
from maestro_ts.symbols.symbolizer import ModalitySymbols, Symbolizer

__all__ = ["PreparedSymbols", "SymbolFrontEnd"]


@dataclass(frozen=True)
class PreparedSymbols:
    """Moments and symbols of all windows; the moments serve when bins are hidden later.

    So does the reach (n, L, 2) of the words, of modalities that have any.
    """

    binned: Mapping[str, Binned]
    symbols: Mapping[str, ModalitySymbols]
    reach: Mapping[str, NDArray[np.int32]]
    duration: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.duration)


class SymbolFrontEnd:
    """Windows → symbols; see `contract.front_end.FrontEnd`."""

    def __init__(self, settings: SymbolSettings) -> None:
        self.symbolizer = Symbolizer(settings)

    @property
    def schema(self) -> Schema:
        """Modalities in the model's order."""
        return self.symbolizer.schema_

    def fit(self, windows: Windows) -> Self:
        """Learn levels and spreads from training windows."""
        self.symbolizer.fit(windows)
        return self

    def prepare(self, windows: Windows) -> PreparedSymbols:
        """Bin and symbolise all windows once."""
        binned = self.symbolizer.bin(windows)
        symbols, reach = {}, {}
        for name, moments in binned.items():
            words = self.symbolizer.words(name, windows)
            symbols[name] = self.symbolizer.symbols(name, moments, words)
            if words is not None:
                reach[name] = words.reach
        return PreparedSymbols(
            binned, symbols, reach, self.symbolizer.duration_symbols(windows.duration_s)
        )

    def collate(
        self, prepared: PreparedSymbols, rows: NDArray[np.intp], mask: Mask | None = None
    ) -> Batch:
        """Symbols of some rows; what the mask hides is s₀, and what depends on it is recomputed."""
        if mask is not None and mask.points:
            raise ConfigError(
                "single samples cannot be hidden after binning.",
                fix="Hide them in the windows: signals.masks.hide(windows, mask).",
            )
        names = self.schema.names
        parts = {}
        present = np.zeros((len(rows), len(names)), dtype=bool)
        for m, name in enumerate(names):
            part = prepared.symbols[name].take(rows)
            if mask is not None:
                part = self._masked(prepared, rows, mask, m, part)
            parts[name] = part
            present[:, m] = part.valid.any(axis=1)
        host = torch.from_numpy(present)
        extras = {f"summary/{name}": torch.from_numpy(part.summary) for name, part in parts.items()}
        extras |= {f"words/{name}": torch.from_numpy(parts[name].words) for name in prepared.reach}
        return Batch(
            inputs={name: torch.from_numpy(part.tokens) for name, part in parts.items()},
            valid={name: torch.from_numpy(part.valid) for name, part in parts.items()},
            present=host,
            host_present=host,
            index=torch.from_numpy(rows.astype(np.int64)),
            extras=extras | {"duration": torch.from_numpy(prepared.duration[rows])},
        )

    def _masked(
        self,
        prepared: PreparedSymbols,
        rows: NDArray[np.intp],
        mask: Mask,
        m: int,
        part: ModalitySymbols,
    ) -> ModalitySymbols:
        modality = self.schema.modalities[m]
        length = part.tokens.shape[1]
        hidden = np.broadcast_to(~mask.keep[:, m, None], (len(rows), length)).copy()
        if not modality.static:
            centre = (np.arange(length) + 0.5) / length
            low, high = mask.segments[:, m, :1], mask.segments[:, m, 1:]
            hidden |= (centre >= low) & (centre < high)
        touched = np.flatnonzero(hidden.any(axis=1))
        if not len(touched):
            return part
        moments = prepared.binned[modality.name].take(rows[touched]).hide(hidden[touched])
        words = None
        if modality.name in prepared.reach:
            # Those of bins that were missing already are s₀ and stay so.
            words = Words(part.words[touched], prepared.reach[modality.name][rows[touched]])
        fresh = self.symbolizer.symbols(modality.name, moments, words)
        part.tokens[touched] = fresh.tokens
        part.valid[touched] = fresh.valid
        part.summary[touched] = fresh.summary
        part.words[touched] = fresh.words
        return part

    def __call__(self, windows: Windows) -> Batch:
        """All windows as one batch."""
        return self.collate(self.prepare(windows), np.arange(len(windows)))

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Fitted arrays."""
        return self.symbolizer.state()

    def restore(self, schema: Schema, state: Mapping[str, NDArray[np.float64]]) -> Self:
        """Inverse of `state`."""
        self.symbolizer.restore(schema, state)
        return self
