"""The dictionary view: words of a bin say which of many short random shapes its signal is like.

Kernels are drawn once, with a seed of their own, and kept in the fitted state; what they win and
lose in a bin (`competition`) is normalised by the training windows and takes the symbols of the
alphabet. A word has no channel: kernels read up to two. Kernels read samples in their order, so a
bin whose samples come at another pace, or much less evenly, than in training has no words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Samples
from maestro_ts.symbols.alphabet import MISSING, to_symbols
from maestro_ts.symbols.bins import Binned
from maestro_ts.symbols.competition import (
    BLOCK,
    DILATIONS,
    KERNELS,
    LENGTH,
    REPRESENTATIONS,
    Competition,
    reads_beyond,
)
from maestro_ts.symbols.held import Held, held

__all__ = ["FLAT", "Dictionary", "Words", "complete", "draw_kernels", "has_words"]

SEED = 2023  # with the number of channels: modalities of equally many have the same kernels
CHANNELS = 2  # that a kernel reads at most
LEAST_BINS = 4
LEAST_SAMPLES = 2  # a bin
UNEVEN = 400  # thousandths that the gaps may always differ by from the usual one
UNEVEN_SHARE = 0.75  # of the training windows' bins; more even ones are even enough
FLAT = 1e-6  # deviation up to this share of the mean counts as none


@dataclass(frozen=True)
class Words:
    """Words of one modality, as if no bin were hidden.

    Attributes
    ----------
    symbols : ndarray, shape (n, L, F), uint8
    reach : ndarray, shape (n, L, 2), int32
        First and last bin that a bin's words depend on.
    """

    symbols: NDArray[np.uint8]
    reach: NDArray[np.int32]

    def where(self, complete: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """The symbols; s₀ unless all bins that they depend on are `complete`, (n, L)."""
        return np.where(intact(self.reach, complete)[:, :, None], self.symbols, MISSING)


def intact(reach: NDArray[np.int32], complete: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bins (n, L) all of whose `reach` is complete."""
    before = np.zeros((len(complete), complete.shape[1] + 1), dtype=np.int32)
    np.cumsum(~complete, axis=1, out=before[:, 1:])
    through = np.take_along_axis(before, reach[:, :, 1] + 1, axis=1)
    return np.asarray(through == np.take_along_axis(before, reach[:, :, 0], axis=1))


def has_words(m: Modality, duration_s: float, bins: int) -> bool:
    """Whether a modality has a rate, and windows of this length enough bins and samples in each."""
    if m.static or m.rate_hz is None or bins < LEAST_BINS:
        return False
    return m.rate_hz * duration_s >= LEAST_SAMPLES * bins


def draw_kernels(channels: int, groups: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Kernels and the channels that they read; both depend on nothing else.

    Returns
    -------
    kernels : shape (dilations, representations, G, 8, k, 9), k = min(C, 2)
        Normal, with mean 0 over the taps of a channel and magnitudes that add up to 1.
    channels : shape (dilations, representations, G, k)
    """
    rng = np.random.default_rng([SEED, channels])
    lead, k = (len(DILATIONS), REPRESENTATIONS, groups), min(channels, CHANNELS)
    kernels = rng.normal(size=(*lead, KERNELS, k, LENGTH))
    kernels -= kernels.mean(axis=-1, keepdims=True)
    kernels /= np.abs(kernels).sum(axis=(-2, -1), keepdims=True)
    every = np.broadcast_to(np.arange(channels), (*lead, channels))
    return kernels, rng.permuted(every, axis=-1)[..., :k]


class Dictionary:
    """The fitted dictionary of one modality.

    Parameters
    ----------
    bins : int
        L.
    rate_hz : float
    cuts : ndarray
        Breakpoints of the alphabet.
    state : dict of str to ndarray
        What `fit` makes: ``kernels``, ``channels``, ``scale`` (C,), ``unit``, ``gap_s``,
        ``uneven`` (in thousandths), ``mean`` and ``deviation`` (F,).
    """

    def __init__(
        self,
        bins: int,
        rate_hz: float,
        cuts: NDArray[np.float64],
        state: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self.bins, self.rate_hz, self.cuts = bins, rate_hz, cuts
        self.state = dict(state)
        self.competition = Competition(
            state["kernels"],
            state["channels"].astype(np.int64),
            state["scale"],
            int(state["unit"][0]),
        )

    @classmethod
    def fit(
        cls,
        m: Modality,
        groups: int,
        cuts: NDArray[np.float64],
        samples: Samples,
        duration_s: NDArray[np.float64],
        binned: Binned,
    ) -> Dictionary:
        """Draw kernels, and learn how often each wins and loses in bins that are whole."""
        bins = binned.mean.shape[1]
        assert m.rate_hz is not None
        kernels, channels = draw_kernels(m.channels, groups)
        per_bin = m.rate_hz * float(np.median(duration_s)) / bins
        state = {
            "kernels": kernels,
            "channels": channels.astype(np.float64),
            "scale": _scale(binned),
            "unit": np.array([max(1.0, np.floor(per_bin / LENGTH + 1e-9))]),
            "gap_s": np.array([_gap_s(samples, m.rate_hz)]),
        }
        fitted = cls(bins, m.rate_hz, cuts, state)
        whole = complete(binned)
        fitted.state["uneven"] = np.array([fitted._evenness(samples, duration_s, whole)])
        mean, deviation = fitted._moments(samples, duration_s, whole)
        fitted.state |= {"mean": mean, "deviation": deviation}
        return fitted

    @np.errstate(over="ignore", invalid="ignore")  # values at the end of what float32 holds
    def words(self, samples: Samples, duration_s: NDArray[np.float64]) -> Words:
        """Words of all windows, whatever is missing."""
        symbols = np.zeros((len(duration_s), self.bins, self.competition.features), np.uint8)
        reach = np.zeros((len(duration_s), self.bins, 2), dtype=np.int32)
        for some, signal in self._held(samples, duration_s):
            reach[some] = signal.reach
            self._spell(self._even(signal), symbols[some].reshape(-1, self.competition.features))
        return Words(symbols, reach)

    @np.errstate(over="ignore", invalid="ignore")
    def renewed(
        self,
        samples: Samples,
        duration_s: NDArray[np.float64],
        known: NDArray[np.uint8],
        sure: NDArray[np.bool_],
    ) -> tuple[Words, NDArray[np.bool_]]:
        """Words of one window, some of whose bins were spelled in an earlier one.

        Parameters
        ----------
        samples, duration_s
            Of one window.
        known : ndarray, shape (L, F)
            Words of its bins as far as they are known.
        sure : ndarray, shape (L,), bool
            True where they are, and held in the earlier window whatever lay beyond it.

        Returns
        -------
        words : Words
            As `words` gives them.
        sure : ndarray, shape (L,), bool
            True where they hold whatever lies beyond this window.
        """
        signal = self._even(self._signal(samples, duration_s))
        again = ~(sure & signal.whole)
        symbols = np.where(again[:, None], np.uint8(MISSING), known)
        self._spell(replace(signal, positions=np.where(again, signal.positions, 0)), symbols)
        return Words(symbols[None], signal.reach), signal.whole

    def _spell(self, signal: Held, rows: NDArray[np.uint8]) -> None:
        """Put the words of all bins that have positions into their rows (n · L, F)."""
        mean, deviation = self.state["mean"][:, None], self.state["deviation"][:, None]
        by = 1.0 / np.maximum(deviation, np.maximum(FLAT * mean, 1e-30))
        for at, values in self.competition.blocks(signal):
            rows[at] = to_symbols((values - mean) * by, self.cuts).T

    @np.errstate(over="ignore", invalid="ignore")
    def _moments(
        self,
        samples: Samples,
        duration_s: NDArray[np.float64],
        complete: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation over bins, (F,) each; 0 where no bin is whole."""
        count, rows = 0, np.zeros((BLOCK + 1, 2, self.competition.features))
        for some, signal in self._held(samples, duration_s):
            whole = intact(signal.reach, complete[some]).ravel()
            for at, values in self.competition.blocks(self._even(signal)):
                own = values[:, whole[at]].T
                # Bin after bin upon what there is: the same sums, however many are read at once.
                rows[1 : len(own) + 1, 0] = own
                np.square(rows[1:, 0], out=rows[1:, 1])
                rows[0] = rows[: len(own) + 1].sum(axis=0)
                count += len(own)
        mean, square = rows[0] / max(count, 1)
        return mean, np.sqrt(np.maximum(square - mean**2, 0.0))

    def _evenness(
        self,
        samples: Samples,
        duration_s: NDArray[np.float64],
        complete: NDArray[np.bool_],
    ) -> float:
        """Up to how many thousandths gaps may differ from the usual one."""
        if samples.times is None:
            return UNEVEN
        found = [np.zeros(0, dtype=np.int64)]
        for some, signal in self._held(samples, duration_s):
            whole = intact(signal.reach, complete[some]).ravel() & (signal.positions > 0)
            found.append(signal.uneven[whole])
        all_bins = np.concatenate(found)
        usual = np.quantile(all_bins, UNEVEN_SHARE) if len(all_bins) else 0.0
        return float(max(UNEVEN, usual))

    def _even(self, signal: Held) -> Held:
        """The same without the bins whose samples come at an uneven pace."""
        even = signal.uneven <= self.state["uneven"][0]
        return replace(signal, positions=np.where(even, signal.positions, 0))

    def _held(
        self, samples: Samples, duration_s: NDArray[np.float64]
    ) -> Iterator[tuple[slice, Held]]:
        """Windows in order, as many at a time as fit in memory."""
        for some in samples.chunks():
            part = samples.take(np.arange(some.start, some.stop))
            yield some, self._signal(part, duration_s[some])

    def _signal(self, samples: Samples, duration_s: NDArray[np.float64]) -> Held:
        beyond, gap_s = reads_beyond(self.competition.unit), float(self.state["gap_s"][0])
        return held(samples, duration_s, self.bins, self.rate_hz, gap_s, beyond)


def complete(binned: Binned) -> NDArray[np.bool_]:
    """Bins (n, L) with a valid sample in every channel."""
    return np.asarray((binned.count > 0).all(axis=2))


def _scale(binned: Binned) -> NDArray[np.float64]:
    """Deviation of each channel over all samples of the windows, (C,); 1 where it is none."""
    count = binned.count
    total = np.maximum(count.sum(axis=(0, 1)), 1.0)
    level = np.where(count > 0, binned.mean, 0.0)
    mean = (count * level).sum(axis=(0, 1)) / total
    apart = np.where(count > 0, level - mean, 0.0)
    scale = np.sqrt((binned.m2 + count * apart**2).sum(axis=(0, 1)) / total)
    return np.where(scale > FLAT * np.abs(mean), scale, 1.0)


def _gap_s(samples: Samples, rate_hz: float) -> float:
    """Time between samples: the median of the windows' medians, else what the rate says."""
    if samples.times is None:
        return 1.0 / rate_hz
    found = []
    for some in samples.chunks():
        _, times, owner = samples.take(np.arange(some.start, some.stop)).flat()
        own = np.diff(owner) == 0
        gaps, owner = np.diff(times)[own], owner[1:][own]
        _, first, count = np.unique(owner, return_index=True, return_counts=True)
        found.append(gaps[np.lexsort((gaps, owner))][first + count // 2])
    every = np.concatenate([*found, np.zeros(0)])
    middle = float(np.median(every)) if len(every) else 0.0
    return middle if middle > 0.0 else 1.0 / rate_hz
