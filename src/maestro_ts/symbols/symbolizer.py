"""`Symbolizer`: windows → ordered symbols per modality, bin, channel and view.

Level, spread and summaries are normalised by statistics of the training windows, learned by
`fit` from them alone; everything else is pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.transform import interpolate
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.alphabet import MISSING, breakpoints, to_symbols
from maestro_ts.symbols.bins import Binned, bin_samples
from maestro_ts.symbols.competition import features
from maestro_ts.symbols.dictionary import Dictionary, Words, complete, has_words
from maestro_ts.symbols.fold import repeat
from maestro_ts.symbols.views import VIEWS, summary_features, summary_names

__all__ = ["FLOOR_SHARE", "ModalitySymbols", "Symbolizer"]

FLOOR_SHARE = 0.01  # of the typical deviation within a bin; keeps the log of a flat bin finite
FEW_SAMPLES = 4  # a window as short as this is kept whole, one sample a bin
BLOCK = 2**16  # values at a time
DICTIONARY = "dictionary"
Z_LIMIT = 12.0  # beyond every breakpoint; keeps a constant training statistic from dividing by 0


@dataclass(frozen=True)
class ModalitySymbols:
    """Symbols of one modality.

    Attributes
    ----------
    tokens : ndarray, shape (n, L, C, V), uint8
        0 is missing.
    valid : ndarray, shape (n, L), bool
        True where the bin has a valid sample in some channel.
    summary : ndarray, shape (n, C, S), uint8
        Symbols of the window's statistics; S = 0 without summaries.
    words : ndarray, shape (n, L, F), uint8
        What kernels of the dictionary won and lost; F = 0 without one.
    """

    tokens: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    summary: NDArray[np.uint8]
    words: NDArray[np.uint8]

    def take(self, rows: NDArray[np.intp]) -> ModalitySymbols:
        """Select windows."""
        return ModalitySymbols(
            self.tokens[rows], self.valid[rows], self.summary[rows], self.words[rows]
        )


class Symbolizer:
    """Learn levels and spreads on training windows, then turn windows into symbols.

    Parameters
    ----------
    settings : SymbolSettings

    Attributes
    ----------
    schema_ : Schema
    lengths_ : dict of modality name to int
        Tokens per window, ``L_m``.
    statistics_ : dict of str to ndarray
        Everything fitted, ready to be saved.
    dictionaries_ : dict of modality name to Dictionary
        Of the modalities that have words; made of the statistics.
    """

    def __init__(self, settings: SymbolSettings) -> None:
        self.settings = settings
        self.cuts = breakpoints(settings.alphabet)

    def views_of(self, modality: Modality) -> tuple[str, ...]:
        """Views of a modality; a static one has a level only."""
        return ("level",) if modality.static else self.settings.views

    def has_summary(self, modality: Modality) -> bool:
        """A static modality is its own summary."""
        return self.settings.summary and not modality.static

    def summary_count(self, modality: Modality) -> int:
        """Summary symbols per channel; 0 for a modality without a summary."""
        return len(summary_names(self.settings.course)) * self.has_summary(modality)

    def fit(self, windows: Windows) -> Symbolizer:
        """Learn token counts and normalisation from training windows."""
        if len(windows) == 0:
            raise DataError("No training windows.")
        self.schema_ = windows.schema
        self.lengths_ = {m.name: self._length(windows, m) for m in windows.schema}
        self.statistics_: dict[str, NDArray[np.float64]] = {}
        logs = np.log(windows.duration_s)
        varied = float(logs.std()) > 1e-9
        self.statistics_["duration"] = np.array([logs.mean(), logs.std(), float(varied)])
        duration = float(np.median(windows.duration_s))
        self.dictionaries_: dict[str, Dictionary] = {}
        for name, binned in self.bin(windows).items():
            m, groups = self.schema_[name], self.settings.dictionary
            self._fit_modality(m, binned)
            if groups and has_words(m, duration, self.lengths_[name]):
                samples = windows.samples[name]
                fitted = Dictionary.fit(m, groups, self.cuts, samples, windows.duration_s, binned)
                self.dictionaries_[name] = fitted
                own = {f"{name}/{DICTIONARY}/{key}": a for key, a in fitted.state.items()}
                self.statistics_ |= own
        return self

    def extend(self, windows: Windows) -> Symbolizer:
        """Learn the modalities that were not there before; all else stays as it was learned."""
        added = [n for n in windows.schema.names if n not in self.schema_]
        if added:
            other = Symbolizer(self.settings).fit(windows.select(added))
            self.lengths_ = self.lengths_ | other.lengths_
            self.statistics_ = other.statistics_ | self.statistics_
            self.dictionaries_ = self.dictionaries_ | other.dictionaries_
        self.schema_ = windows.schema
        return self

    def _length(self, windows: Windows, m: Modality) -> int:
        """At most half the stream's samples (a bin needs two for a spread), but up to four."""
        if m.static:
            return 1
        duration = float(np.median(windows.duration_s))
        wanted = self.settings.tokens
        if self.settings.bin_s is not None:
            wanted = max(1, round(duration / self.settings.bin_s))
        rate = m.rate_hz
        if rate is not None:
            rate = max(rate, self.settings.interpolate_hz or 0.0)
            samples = rate * duration
        else:
            lengths = windows.samples[m.name].lengths
            samples = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 2.0
        most = max(int(samples / 2 + 1e-9), min(int(samples + 1e-9), FEW_SAMPLES))
        return max(1, min(wanted, most))

    def _fit_modality(self, m: Modality, binned: Binned) -> None:
        there = binned.count > 0
        total = np.maximum(there.sum(axis=(0, 1)), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.where(there, binned.m2 / binned.count, 0.0)
        typical = np.sqrt(variance.sum(axis=(0, 1)) / total)
        scale = np.where(there, np.abs(binned.mean), 0.0).max(axis=(0, 1), initial=0.0)
        floor = np.maximum(FLOOR_SHARE * typical, np.maximum(1e-9 * scale, 1e-30))
        self.statistics_[f"{m.name}/floor"] = floor
        if self.settings.missing != "symbol":
            level = np.where(there, binned.mean, 0.0).sum(axis=(0, 1)) / total
            self.statistics_[f"{m.name}/mean"] = level
        for name in self.views_of(m):
            if VIEWS[name].normalised_by == "training":
                self._fit_centre(f"{m.name}/{name}", VIEWS[name].values(binned, floor))
        if self.has_summary(m):
            self._fit_centre(f"{m.name}/summary", self._summary(binned, floor)[:, None])

    def _fit_centre(self, key: str, values: NDArray[np.float64]) -> None:
        """Mean and deviation over windows and bins, per channel (and feature)."""
        there = ~np.isnan(values)
        total = np.maximum(there.sum(axis=(0, 1)), 1)
        mean = np.where(there, values, 0.0).sum(axis=(0, 1)) / total
        spread = np.where(there, values - mean, 0.0) ** 2
        self.statistics_[f"{key}/mean"] = mean
        self.statistics_[f"{key}/deviation"] = np.sqrt(spread.sum(axis=(0, 1)) / total)

    def bin(self, windows: Windows) -> dict[str, Binned]:
        """Moments per bin of every modality: the part that is worth caching."""
        if self.settings.interpolate_hz is not None:
            windows = interpolate(windows, self.settings.interpolate_hz)
        return {
            m.name: self.drop_sparse_bins(
                bin_samples(
                    windows.samples[m.name],
                    windows.duration_s,
                    self.lengths_[m.name],
                    static=m.static,
                ),
                m,
                windows.duration_s,
            )
            for m in self.schema_
        }

    def drop_sparse_bins(
        self, binned: Binned, m: Modality, duration_s: NDArray[np.float64]
    ) -> Binned:
        """A bin counts as present with the least share of valid samples that the recipe asks."""
        share, rate = self.settings.min_share, m.rate_hz
        if not share or rate is None:
            return binned
        expected = np.floor(rate * duration_s / self.lengths_[m.name])
        few = binned.count.max(axis=2) < share * expected[:, None]
        return binned.hide(few)

    def word_count(self, name: str) -> int:
        """Words F of a bin; 0 for a modality without a dictionary."""
        return features(self.settings.dictionary) if name in self.dictionaries_ else 0

    def words(self, name: str, windows: Windows) -> Words | None:
        """Words of one modality as if nothing were missing; None without a dictionary.

        Of samples as they came: not interpolated.
        """
        if name not in self.dictionaries_:
            return None
        return self.dictionaries_[name].words(windows.samples[name], windows.duration_s)

    def symbols(self, name: str, binned: Binned, words: Words | None = None) -> ModalitySymbols:
        """Symbols of one modality from its moments, and the words of bins that are there."""
        m, measured, number = self.schema_[name], binned, self._instead(name)
        if number is not None:
            binned = binned.filled(number)
        n, length, channels = binned.mean.shape
        tokens = np.empty((n, length, channels, len(self.views_of(m))), dtype=np.uint8)
        valid = np.ones((n, length), dtype=bool)
        summary = np.empty((n, channels, self.summary_count(m)), dtype=np.uint8)
        # Some windows at a time: what is computed on the way stays in the processor's cache.
        step = max(1, BLOCK // (length * channels))
        for first in range(0, n, step):
            rows = slice(first, first + step)
            self._fill(m, binned.part(rows), tokens[rows], valid[rows], summary[rows])
        spoken = np.empty((n, length, 0), dtype=np.uint8)
        if words is not None:
            spoken = words.where(complete(measured))
            if number is not None:  # how often kernels win in a bin that tells nothing
                spoken[spoken == MISSING] = to_symbols(np.zeros(1), self.cuts)[0]
        return ModalitySymbols(tokens, valid, summary, spoken)

    def _instead(self, name: str) -> NDArray[np.float64] | None:
        """The number of each channel that stands for what is missing, (C,); None: a symbol does."""
        if self.settings.missing == "symbol":
            return None
        mean = self.statistics_[f"{name}/mean"]
        return mean if self.settings.missing == "mean" else np.zeros_like(mean)

    def _fill(
        self,
        m: Modality,
        binned: Binned,
        tokens: NDArray[np.uint8],
        valid: NDArray[np.bool_],
        summary: NDArray[np.uint8],
    ) -> None:
        floor = self.statistics_[f"{m.name}/floor"]
        for v, view in enumerate(self.views_of(m)):
            z = self._normalised(m.name, view, VIEWS[view].values(binned, floor))
            tokens[..., v] = to_symbols(z, self.cuts)
        if binned.alike is None:
            there = binned.count > 0
            tokens[~there] = MISSING
            valid[:] = there.any(axis=2)
        if self.has_summary(m):
            features = self._centred(f"{m.name}/summary", self._summary(binned, floor))
            summary[:] = to_symbols(features, self.cuts)

    def _summary(self, binned: Binned, floor: NDArray[np.float64]) -> NDArray[np.float64]:
        return summary_features(binned, floor, self.settings.course)

    def _normalised(self, name: str, view: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if VIEWS[view].normalised_by == "window":
            return values
        return self._centred(f"{name}/{view}", values)

    def _centred(self, key: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = self.statistics_[f"{key}/mean"]
        deviation = self.statistics_[f"{key}/deviation"]
        tiny = np.maximum(1e-9 * np.abs(mean), 1e-30)
        if mean.ndim == 1:
            bins = values.shape[1]
            mean, deviation, tiny = (repeat(row, bins) for row in (mean, deviation, tiny))
        z = values - mean
        # The mean of equal values may differ from them by rounding, which must not choose a symbol.
        flat = deviation <= tiny
        noise = flat & (np.abs(z) <= tiny) if flat.any() else None
        z /= np.maximum(deviation, tiny)
        if noise is not None:
            z[noise] = 0.0
        return np.asarray(z)

    @property
    def duration_varies(self) -> bool:
        """True when training windows differ in length: the length is then an input."""
        return bool(self.statistics_["duration"][2])

    def duration_symbols(self, duration_s: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Symbols of the log of the windows' lengths, shape (n,)."""
        mean, deviation, _ = self.statistics_["duration"]
        z = np.clip((np.log(duration_s) - mean) / max(deviation, 1e-9), -Z_LIMIT, Z_LIMIT)
        return to_symbols(z, self.cuts)

    def __call__(self, windows: Windows) -> dict[str, ModalitySymbols]:
        """Symbols of every modality."""
        return {
            name: self.symbols(name, b, self.words(name, windows))
            for name, b in self.bin(windows).items()
        }

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Fitted arrays for saving."""
        lengths = np.array([self.lengths_[n] for n in self.schema_.names], dtype=np.float64)
        return self.statistics_ | {"lengths": lengths}

    def restore(self, schema: Schema, state: Mapping[str, NDArray[np.float64]]) -> Symbolizer:
        """Inverse of `state`."""
        self.schema_ = schema
        lengths = state["lengths"]
        self.lengths_ = {n: int(k) for n, k in zip(schema.names, lengths, strict=True)}
        self.statistics_ = {k: np.asarray(v) for k, v in state.items() if k != "lengths"}
        self.dictionaries_ = {}
        for m in schema:
            begin = f"{m.name}/{DICTIONARY}/"
            own = {k[len(begin) :]: a for k, a in self.statistics_.items() if k.startswith(begin)}
            if own:
                assert m.rate_hz is not None
                bins = self.lengths_[m.name]
                self.dictionaries_[m.name] = Dictionary(bins, m.rate_hz, self.cuts, own)
        return self
