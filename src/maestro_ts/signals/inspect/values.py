"""What the values of a stream tell: no variation, a value that hangs, a limit, the impossible."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.inspect.finding import Finding
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Stream

__all__ = ["PLAUSIBLE", "constant", "impossible", "missing", "saturated", "stuck"]

# What a body or a sensor on it can show, by unit in small letters.
PLAUSIBLE = {
    "degc": (5.0, 45.0),
    "°c": (5.0, 45.0),
    "c": (5.0, 45.0),
    "degf": (41.0, 113.0),
    "ph": (0.0, 14.0),
    "bpm": (1.0, 350.0),
    "beats/min": (1.0, 350.0),
    "breaths/min": (0.0, 120.0),
    "mmhg": (0.0, 350.0),
    "%": (0.0, 100.0),
    "us": (0.0, 150.0),
    "years": (0.0, 125.0),
    "kg": (0.0, 700.0),
    "cm": (0.0, 280.0),
}
FEWEST = 10  # samples of a channel that is looked at
MUCH_MISSING = 0.2  # of the samples
STUCK_S = 2.0
STUCK_SAMPLES = 20
STUCK_RUNS = 10  # times the stream's usual longest run
DISTINCT = 20  # values of a channel that can be seen to have a limit
AT_LIMIT = 5  # samples
CROWD = 10  # values next to the limit that it is compared with


def missing(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Many samples without a value."""
    share = float(np.isnan(stream.values).mean()) if stream.values.size else 0.0
    if share > MUCH_MISSING:
        what = "all values are missing" if share == 1 else f"{share:.0%} of the values are missing"
        yield Finding("missing", where, modality.name, what, share)


def constant(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Channels that have one value throughout."""
    if modality.static:
        return
    channels = [c for c in range(modality.channels) if _is_constant(stream.values[:, c])]
    if channels:
        said = ", ".join(f"{_valid(stream.values[:, c])[0]:g}" for c in channels)
        which = "" if modality.channels == 1 else f"channel {_listed(channels)}: "
        what = f"{which}always {said}"
        yield Finding("constant", where, modality.name, what, len(channels) / modality.channels)


def stuck(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """A stretch in which no channel changes, far longer than this stream's other ones.

    A slow sensor repeats its values as a rule; what is unlike itself is suspicious.
    """
    if len(stream.values) < 2 * STUCK_SAMPLES or modality.static:
        return
    # NaN differs from everything, itself included: it ends a stretch.
    changes = np.flatnonzero((stream.values[1:] != stream.values[:-1]).any(axis=1))
    if not len(changes):
        return  # constant
    edges = np.concatenate([[-1], changes, [len(stream.values) - 1]])
    runs = np.diff(edges)
    worst = int(np.argmax(runs))
    first = int(edges[worst]) + 1
    usual = float(np.quantile(np.delete(runs, worst), 0.95)) if len(runs) > 1 else 1.0
    times = stream.sample_times()
    seconds = float(times[first + runs[worst] - 1] - times[first])
    if runs[worst] < max(STUCK_SAMPLES, STUCK_RUNS * usual) or seconds < STUCK_S:
        return
    value = ", ".join(f"{v:g}" for v in stream.values[first][:3])
    what = f"stays at {value} for {seconds:.4g} s from {times[first]:.4g} s"
    yield Finding("stuck", where, modality.name, what, float(runs[worst] / len(stream.values)))


def saturated(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Far more samples at the largest or smallest value than at those next to it."""
    for c in range(modality.channels):
        values = _valid(stream.values[:, c])
        distinct, counts = np.unique(values, return_counts=True)
        if len(distinct) < DISTINCT:
            continue
        for side, at, near in (
            ("largest", -1, counts[-CROWD - 1 : -1]),
            ("smallest", 0, counts[1 : CROWD + 1]),
        ):
            if counts[at] >= AT_LIMIT and counts[at] > 5 * near.max():
                which = "" if modality.channels == 1 else f"channel {c + 1}: "
                what = f"{which}{counts[at]} samples at the {side} value, {distinct[at]:g}"
                share = float(counts[at] / len(values))
                yield Finding("saturation", where, modality.name, what, share)


def impossible(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Values that the unit does not admit of a body or a sensor on it."""
    bounds = PLAUSIBLE.get(modality.unit.lower().strip())
    if bounds is None:
        return
    values = stream.values
    outside = (values < bounds[0]) | (values > bounds[1])
    if outside.any():
        worst = values[outside]
        far = worst[np.argmax(np.maximum(bounds[0] - worst, worst - bounds[1]))]
        what = (
            f"{int(outside.sum())} values outside {bounds[0]:g} to {bounds[1]:g} {modality.unit}, "
            f"the farthest {far:g}"
        )
        yield Finding("impossible", where, modality.name, what, float(outside.mean()))


def _valid(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = channel[~np.isnan(channel)]
    return found


def _is_constant(channel: NDArray[np.float32]) -> bool:
    values = _valid(channel)
    return len(values) >= FEWEST and bool((values == values[0]).all())


def _listed(channels: list[int]) -> str:
    return ", ".join(str(c + 1) for c in channels)
