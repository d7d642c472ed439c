"""Windows → one row of statistics per window, computed on each sensor's native valid samples.

Every value depends on its own window and modality alone, so hiding whole modalities is the same
as overwriting their columns (`drop_modalities`). NaN means missing and nothing else: what is
undefined for a constant signal is 0. Columns are named ``modality/signal/statistic``; the signal
is a channel's number, ``norm`` (the magnitude), a pair of channels or ``all``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Samples, Windows

__all__ = [
    "column_names",
    "drop_modalities",
    "statistics_51",
    "statistics_nine",
    "statistics_twelve",
]

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]

MIN_VALID = 8
# Elements handled at once: a block and its temporaries stay in the cache, a chunk in memory.
BLOCK, CHUNK = 1 << 16, 1 << 22
EXTRAS = ("all/present", "all/share_valid")


@dataclass(frozen=True)
class _Table:
    """Which statistics a table has, and from how many valid samples on."""

    names: list[str]
    compute: Callable[[Floats, Floats, Floats], list[Floats]]
    least: int
    extras: bool


def statistics_51(windows: Windows) -> tuple[Features, list[str]]:
    """31 statistics per channel and magnitude, correlations, presence and share of valid samples.

    Standard deviations are of the population, quantiles linear, skewness and excess kurtosis
    biased; the spectrum leaves out frequency 0; a static modality gives its values. Presence and
    share are 0 for an absent modality, everything else is NaN.

    Returns
    -------
    features : ndarray, shape (n, F), float32
    names : list of str
        One per column.
    """
    return _fill(windows, _TABLE_51)


def statistics_nine(windows: Windows) -> tuple[Features, list[str]]:
    """Nine statistics per channel and magnitude, without extras; see `statistics_51`."""
    return _fill(windows, _TABLE_NINE)


def statistics_twelve(windows: Windows) -> tuple[Features, list[str]]:
    """Twelve statistics of measurements that are few and whose times tell, without extras."""
    return _fill(windows, _TABLE_TWELVE)


def column_names(schema: Schema, which: str) -> list[str]:
    """Names of the columns of a table, ``31``, ``nine`` or ``twelve``, modality by modality."""
    table = {"31": _TABLE_51, "nine": _TABLE_NINE, "twelve": _TABLE_TWELVE}[which]
    return [name for modality in schema for name in _columns(modality, table)]


def drop_modalities(
    features: Features, names: Sequence[str], schema: Schema, keep: NDArray[np.bool_]
) -> Features:
    """Return the table of the same windows without the modalities where `keep` is False.

    Equals, bit for bit, the statistics of ``hide(windows, mask)`` for a mask of whole modalities.

    Parameters
    ----------
    features : ndarray, shape (n, F)
    names : sequence of str
        Of the columns.
    schema : Schema
    keep : ndarray, shape (n, M), bool
        M modalities in the schema's order.
    """
    owner = [schema.index(name.rsplit("/", 2)[0]) for name in names]
    absent = np.where([name.endswith(EXTRAS) for name in names], 0.0, np.nan)
    return np.where(keep[:, owner], features, absent.astype(np.float32))


def _has_norm(modality: Modality) -> bool:
    return modality.channels > 1 and not modality.static


def _pairs(modality: Modality, table: _Table) -> list[tuple[int, int]]:
    wanted = table.extras and not modality.static
    return list(combinations(range(modality.channels), 2)) if wanted else []


def _of(modality: Modality, table: _Table) -> _Table:
    """Statistics of a modality; a static one has one value, of which there are none."""
    value = _Table(["value"], lambda x, t, rate: [x[:, 0]], 1, table.extras)
    return value if modality.static else table


def _columns(modality: Modality, table: _Table) -> list[str]:
    signals = [*map(str, range(modality.channels)), *["norm"] * _has_norm(modality)]
    names = [f"{s}/{name}" for s in signals for name in _of(modality, table).names]
    names += [f"{a}~{b}/correlation" for a, b in _pairs(modality, table)]
    names += EXTRAS if table.extras else ()
    return [f"{modality.name}/{name}" for name in names]


def _fill(windows: Windows, table: _Table) -> tuple[Features, list[str]]:
    blocks, names = [], []
    for modality in windows.schema:
        samples, columns = windows.samples[modality.name], _columns(modality, table)
        absent = [0.0 if name.endswith(EXTRAS) else np.nan for name in columns]
        block = np.tile(absent, (len(windows), 1))
        for rows in _chunks(samples.lengths * (modality.channels + 1)):
            block[rows] = _modality(samples.take(rows), modality, table)
        # The range of two extreme float32 values exceeds float32.
        limit = np.finfo(np.float32).max
        blocks.append(np.clip(block, -limit, limit).astype(np.float32))
        names += columns
    return np.concatenate(blocks, axis=1), names


def _chunks(sizes: NDArray[np.int64]) -> Iterator[Rows]:
    """Windows that have samples, in portions of bounded size."""
    rows = np.flatnonzero(sizes)
    portion = (np.cumsum(sizes[rows]) - 1) // CHUNK
    return (rows[portion == p] for p in np.unique(portion))


def _modality(samples: Samples, modality: Modality, table: _Table) -> Floats:
    """Columns of one modality, shape (n, width)."""
    n, (values, _, owner) = len(samples.lengths), samples.flat()
    signals = values.T.astype(np.float64)
    blocks = [_per_signal(signals, samples, modality, _of(modality, table))]
    blocks += [_correlation(signals[[a, b]], owner, n) for a, b in _pairs(modality, table)]
    if table.extras:
        valid = np.bincount(owner, (~np.isnan(values)).mean(axis=1), minlength=n)
        blocks.append(np.stack([valid > 0, valid / samples.lengths], axis=1))
    return np.concatenate(blocks, axis=1)


def _per_signal(channels: Floats, samples: Samples, modality: Modality, table: _Table) -> Floats:
    n, (_, times, owner) = len(samples.lengths), samples.flat()
    signals = list(channels)
    if _has_norm(modality):
        signals.append(np.sqrt(sum(c * c for c in signals)))
    count, stacked = len(signals), np.concatenate(signals)
    valid = np.flatnonzero(~np.isnan(stacked))
    stacked, stamps = stacked[valid], np.tile(times, count)[valid]
    rows_of = (owner + n * np.arange(count)[:, None]).ravel()[valid]
    out = np.full((count * n, len(table.names)), np.nan)
    for rows, index in _equal_lengths(rows_of, count * n, table.least):
        x, t = stacked[index], stamps[index]
        out[rows] = np.stack(table.compute(x, t, _rates(modality, t)), axis=1)
    return out.reshape(count, n, -1).swapaxes(0, 1).reshape(n, -1)


def _rates(modality: Modality, t: Floats) -> Floats:
    """Nominal rate; of a stream without one, the mean rate of the window's samples."""
    if modality.rate_hz is not None:
        return np.full(len(t), modality.rate_hz)
    span: Floats = t[:, -1] - t[:, 0]
    rates: Floats = np.where(span > 0, t.shape[1] - 1, 1.0) / np.where(span > 0, span, 1.0)
    return rates


def _equal_lengths(owner: Rows, n: int, least: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows with equally many samples, as rectangles: (rows, positions of their samples)."""
    counts = np.bincount(owner, minlength=n)
    first = np.cumsum(counts) - counts
    for length in np.unique(counts[counts >= least]):
        same = np.flatnonzero(counts == length)
        step = max(BLOCK // int(length), 1)
        for begin in range(0, len(same), step):
            rows = same[begin : begin + step]
            yield rows, first[rows][:, None] + np.arange(length)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Quotient that is 0 where the denominator is."""
    out: Floats = np.zeros_like(above, dtype=np.float64)
    return np.divide(above, below, out=out, where=below > 0)


def _centred(x: Floats) -> tuple[Floats, Floats]:
    """Mean and deviations; of a constant row exactly its value and zeros."""
    constant = (x == x[:, :1]).all(axis=1)
    mean = np.where(constant, x[:, 0], x.mean(axis=1))
    return mean, x - mean[:, None]


def _correlation(two: Floats, owner: NDArray[np.int64], n: int) -> Floats:
    valid = ~np.isnan(two).any(axis=0)
    a, b = two[:, valid]
    out = np.full((n, 1), np.nan)
    for rows, index in _equal_lengths(owner[valid], n, MIN_VALID):
        (_, x), (_, y) = _centred(a[index]), _centred(b[index])
        norm = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
        out[rows, 0] = np.clip(_ratio((x * y).sum(axis=1), norm), -1.0, 1.0)
    return out


def _quantiles(ordered: Floats, shares: tuple[float, ...]) -> list[Floats]:
    place = np.multiply(shares, ordered.shape[1] - 1)
    floor = place.astype(np.intp)
    low, high = ordered[:, floor], ordered[:, np.minimum(floor + 1, ordered.shape[1] - 1)]
    return list((low + (high - low) * (place - floor)).T)


def _nine(x: Floats, t: Floats, rate: Floats) -> list[Floats]:
    ordered = np.sort(x, axis=1)
    mean, c = _centred(x)
    step = np.full(len(x), np.nan) if x.shape[1] < 2 else np.abs(np.diff(x)).mean(axis=1)
    spread, rms = np.sqrt((c * c).mean(axis=1)), np.sqrt((x * x).mean(axis=1))
    quartiles = _quantiles(ordered, (0.25, 0.5, 0.75))
    return [mean, spread, ordered[:, 0], ordered[:, -1], *quartiles, step, rms]


def _twelve(x: Floats, t: Floats, rate: Floats) -> list[Floats]:
    mean, c = _centred(x)
    late = t - t.mean(axis=1)[:, None]
    slope = _ratio((late * c).sum(axis=1), (late * late).sum(axis=1))
    level = [mean, np.sqrt((c * c).mean(axis=1)), x.min(axis=1), x.max(axis=1)]
    level.append(np.median(x, axis=1))
    ends = [x[:, 0], x[:, -1], x[:, -1] - x[:, 0], slope, t[:, 0], t[:, -1]]
    return [np.full(len(x), float(x.shape[1])), *level, *ends]


def _all_31(x: Floats, t: Floats, rate: Floats) -> list[Floats]:
    mean, c = _centred(x)
    first = [*_level_and_shape(x, mean, c), *_dynamics(x, c, t)]
    return [*first, *_autocorrelation(c, rate), *_spectrum(c, rate)]


def _level_and_shape(x: Floats, mean: Floats, c: Floats) -> list[Floats]:
    ordered, square = np.sort(x, axis=1), c * c
    low, high = ordered[:, 0], ordered[:, -1]
    q = _quantiles(ordered, (0.05, 0.25, 0.5, 0.75, 0.95))
    variance = square.mean(axis=1)
    rms, deviation = np.sqrt((x * x).mean(axis=1)), np.abs(c).mean(axis=1)
    skewness = _ratio((square * c).mean(axis=1), variance**1.5)
    kurtosis = _ratio((square * square).mean(axis=1), variance**2)
    kurtosis = np.where(variance > 0, kurtosis - 3.0, 0.0)
    level = [mean, np.sqrt(variance), low, high, high - low, rms, deviation]
    return [*level, *q, q[3] - q[1], skewness, kurtosis]


def _dynamics(x: Floats, c: Floats, t: Floats) -> list[Floats]:
    late = t - t.mean(axis=1)[:, None]
    span = t[:, -1] - t[:, 0]
    step, above = np.diff(x), c > 0
    size = np.abs(step)
    rising, falling = step[:, :-1] > 0, step[:, 1:] < 0
    return [
        _ratio((late * c).sum(axis=1), (late * late).sum(axis=1)),
        x[:, -1] - x[:, 0],
        size.mean(axis=1),
        step.std(axis=1),
        _ratio(size.sum(axis=1), span),
        (above[:, 1:] != above[:, :-1]).mean(axis=1),
        _ratio((rising & falling).sum(axis=1), span),
    ]


def _autocorrelation(c: Floats, rate: Floats) -> list[Floats]:
    length = c.shape[1]
    # Twice the length, so that the circular correlation does not wrap around.
    size = next_fast_len(2 * length, real=True)
    spectrum = np.fft.rfft(c, size, axis=1)
    r = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, :length]
    varies = np.asarray(c.any(axis=1))
    r = np.where(varies[:, None], r, 0.0) / np.where(varies, r[:, 0], 1.0)[:, None]
    quarter = np.clip(np.rint(0.25 * rate), 2, length - 1).astype(np.intp)
    minimum = (r[:, 1:-1] < r[:, :-2]) & (r[:, 1:-1] <= r[:, 2:])
    first = np.where(minimum.any(axis=1), minimum.argmax(axis=1) + 1, length - 1)
    return [r[:, 1], r[np.arange(len(r)), quarter], np.where(varies, first / rate, 0.0)]


def _spectrum(c: Floats, rate: Floats) -> list[Floats]:
    length = c.shape[1]
    spectrum = np.fft.rfft(c * np.hanning(length), axis=1)[:, 1:]
    power = spectrum.real**2 + spectrum.imag**2
    total = power.sum(axis=1)
    share = _ratio(power, np.broadcast_to(total[:, None], power.shape))
    cycles = np.arange(1, power.shape[1] + 1) / length
    logs = np.log(np.where(share > 0, share, 1.0))
    low, high = np.searchsorted(cycles, [0.5 / 16, 0.5 / 4])
    return [
        np.where(total > 0, cycles[power.argmax(axis=1)], 0.0) * rate,
        (share * cycles).sum(axis=1) * rate,
        -(share * logs).sum(axis=1) / np.log(power.shape[1]),
        share[:, :low].sum(axis=1),
        share[:, low:high].sum(axis=1),
        share[:, high:].sum(axis=1),
    ]


_NAMES_51 = (
    "mean std min max range rms mean_abs_deviation q05 q25 q50 q75 q95 iqr skewness kurtosis "
    "slope_per_s last_minus_first mean_abs_step std_step line_length_per_s mean_crossings "
    "maxima_per_s acf_1 acf_quarter_s acf_first_minimum_s dominant_hz centroid_hz entropy "
    "power_low power_mid power_high"
)
_NAMES_NINE = "mean std min max q25 q50 q75 mean_abs_step rms"
_NAMES_TWELVE = "count mean std min max q50 first last last_minus_first slope_per_s first_s last_s"
_TABLE_51 = _Table(_NAMES_51.split(), _all_31, MIN_VALID, extras=True)
_TABLE_NINE = _Table(_NAMES_NINE.split(), _nine, 1, extras=False)
_TABLE_TWELVE = _Table(_NAMES_TWELVE.split(), _twelve, 1, extras=False)
