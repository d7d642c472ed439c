"""A front end for windows that follow each other: bins that were there before are kept.

Exact where the windows' step is a whole number of bins: a bin then holds the same samples in both
windows. Elsewhere, and after `interpolate_hz`, every window is symbolised anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.model.front_end import PreparedSymbols, SymbolFrontEnd
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Samples, Windows
from maestro_ts.symbols.bins import Binned, bin_samples
from maestro_ts.symbols.dictionary import Words
from maestro_ts.symbols.moments import Moments

__all__ = ["IncrementalFrontEnd"]

HAIR = 1e-9  # of a bin, as in `symbols.bins`


@dataclass(frozen=True)
class _Known:
    """What is known of the bins of one modality's last window.

    Attributes
    ----------
    start_s, duration_s : float
    moments : Moments
        Of one window, without the peak.
    words : ndarray, shape (L, F), uint8
    sure : ndarray, shape (L,), bool
        Words that hold whatever lies beyond the window.
    """

    start_s: float
    duration_s: float
    moments: Moments
    words: NDArray[np.uint8]
    sure: NDArray[np.bool_]


class IncrementalFrontEnd(SymbolFrontEnd):
    """A fitted `SymbolFrontEnd` for one window after another of one stream.

    Samples of a time that a window has held must not change afterwards.

    Parameters
    ----------
    fitted : SymbolFrontEnd

    Attributes
    ----------
    made, kept : int
        Bins of all modalities whose moments were computed, and those that were there.
    """

    def __init__(self, fitted: SymbolFrontEnd) -> None:
        self.symbolizer = fitted.symbolizer
        self.made = self.kept = 0
        self._known: dict[str, _Known] = {}

    def prepare(self, windows: Windows) -> PreparedSymbols:
        """One window, from what is known of the one before; several as usual."""
        if len(windows) != 1 or self.symbolizer.settings.interpolate_hz is not None:
            return super().prepare(windows)
        binned, symbols, reach = {}, {}, {}
        for m in self.schema:
            moments, words = self._bins(m, windows)
            moments = self.symbolizer.drop_sparse_bins(moments, m, windows.duration_s)
            binned[m.name] = moments
            symbols[m.name] = self.symbolizer.symbols(m.name, moments, words)
            if words is not None:
                reach[m.name] = words.reach
        duration = self.symbolizer.duration_symbols(windows.duration_s)
        return PreparedSymbols(binned, symbols, reach, duration)

    def _bins(self, m: Modality, windows: Windows) -> tuple[Binned, Words | None]:
        """Moments and words of one window, which are kept for the next."""
        length = self.symbolizer.lengths_[m.name]
        samples, duration_s = windows.samples[m.name], windows.duration_s
        step = self._step(m, length, windows)
        old = self._known.get(m.name)
        self.made += step
        self.kept += length - step
        if old is None or step == length:
            binned = bin_samples(samples, duration_s, length, static=m.static)
        else:
            part_s = duration_s * step / length
            newer = _since(samples, float(duration_s[0] - part_s[0]), float(duration_s[0]) / length)
            fresh = bin_samples(newer, part_s, step)
            moments = _followed(old.moments, fresh, step)
            binned = Binned(
                moments,
                lambda: replace(moments, peak=bin_samples(samples, duration_s, length).peak),
            )
        words, spelled, sure = None, np.zeros((length, 0), np.uint8), np.zeros(length, bool)
        if m.name in self.symbolizer.dictionaries_:
            spelled = np.zeros((length, self.symbolizer.word_count(m.name)), np.uint8)
            if old is not None:
                spelled[: length - step], sure[: length - step] = old.words[step:], old.sure[step:]
            dictionary = self.symbolizer.dictionaries_[m.name]
            words, sure = dictionary.renewed(samples, duration_s, spelled, sure)
            spelled = words.symbols[0]
        self._known[m.name] = _Known(
            float(windows.start_s[0]),
            float(duration_s[0]),
            Moments(binned.count, binned.mean, binned.m2, None),
            spelled,
            sure,
        )
        return binned, words

    def _step(self, m: Modality, length: int, windows: Windows) -> int:
        """New bins of a window; all of them where its bins are not those of the one before."""
        old = self._known.get(m.name)
        if old is None or m.static or old.duration_s != windows.duration_s[0]:
            return length
        steps = float(windows.start_s[0] - old.start_s) * length / old.duration_s
        step = round(steps)
        return step if 0 < step < length and abs(steps - step) <= HAIR else length


def _since(samples: Samples, begin_s: float, bin_s: float) -> Samples:
    """The samples of one window that lie in its bins from a time on, as a window of their own."""
    start, count, origin = int(samples.starts[0]), int(samples.lengths[0]), samples.origins_s[0]
    edge_s = begin_s - HAIR * bin_s
    if samples.times is not None:
        stamps = samples.times[start : start + count] - origin
        row, begins = int(np.searchsorted(stamps, edge_s)), origin + begin_s
    else:
        rate = samples.rate_hz or 1.0
        row = int(np.clip(np.ceil((edge_s - origin) * rate), 0, count))
        while row > 0 and origin + (row - 1) / rate >= edge_s:
            row -= 1
        while row < count and origin + row / rate < edge_s:
            row += 1
        begins = origin + row / rate - begin_s
    return replace(
        samples,
        starts=np.array([start + row]),
        lengths=np.array([count - row]),
        origins_s=np.array([begins]),
    )


def _followed(old: Moments, fresh: Binned, step: int) -> Moments:
    """Moments of a window that begins `step` bins later."""
    shape = old.mean.shape
    count = np.concatenate([np.broadcast_to(old.count, shape)[:, step:], fresh.count], axis=1)
    if count.all() and (count == count[:, :, :1]).all():
        count = count[:, :, :1]  # as where no sample is missing
    return Moments(
        count,
        np.concatenate([old.mean[:, step:], fresh.mean], axis=1),
        np.concatenate([old.m2[:, step:], fresh.m2], axis=1),
        None,
    )
