"""What the time stamps of a stream tell: gaps, jitter, equal stamps, another rate than stated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.inspect.finding import Finding
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Stream

__all__ = ["conflicts", "duplicates", "gaps", "jitters", "jittery", "other_rate", "usual_step"]

GAP_STEPS = 5.0  # usual steps without a sample
JITTERY = 0.5  # quartile distance of the steps, in usual steps
RATE_OFF = 0.1  # of the stated rate
FEWEST = 10  # samples of a stream whose steps say something


def usual_step(stream: Stream) -> float | None:
    """Median of the steps above zero in seconds; None without stamps or with too few."""
    if stream.times is None or len(stream.times) < FEWEST:
        return None
    steps = np.diff(stream.times)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else None


def gaps(stream: Stream) -> NDArray[np.intp]:
    """Samples after which far more than the usual step passes; for streams with a stated rate.

    An irregular sensor measures when it likes: a long step is no gap.
    """
    step = usual_step(stream)
    if step is None or stream.rate_hz is None:
        return np.zeros(0, dtype=np.intp)
    assert stream.times is not None
    return np.flatnonzero(np.diff(stream.times) > GAP_STEPS * max(step, 1 / stream.rate_hz))


def with_gaps(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """How many gaps there are, and the largest."""
    at = gaps(stream)
    if not len(at):
        return
    assert stream.times is not None
    lengths = np.diff(stream.times)[at]
    worst = int(np.argmax(lengths))
    span = max(float(stream.times[-1] - stream.times[0]), 1e-12)
    yield Finding(
        "gap",
        where,
        modality.name,
        f"{len(at)} gaps, the largest of {lengths[worst]:.4g} s at {stream.times[at[worst]]:.4g} s",
        float(lengths.sum() / span),
    )


def jitters(stream: Stream) -> float | None:
    """Quartile distance of the steps over the usual one."""
    step = usual_step(stream)
    if step is None:
        return None
    assert stream.times is not None
    low, high = np.quantile(np.diff(stream.times), [0.25, 0.75])
    return float((high - low) / step)


def jittery(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Steps that vary by half and more in a stream that has a stated rate."""
    jitter = jitters(stream)
    if modality.rate_hz is None or jitter is None or jitter < JITTERY:
        return
    what = f"steps vary: their quartiles lie {jitter:.2g} usual steps apart"
    yield Finding("jitter", where, modality.name, what, 1.0)


def other_rate(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Stamps that tell another rate than the one stated."""
    step = usual_step(stream)
    if step is None or modality.rate_hz is None:
        return
    assert stream.times is not None
    # In a burst equal stamps hide most steps: then the mean says more than the median.
    mean = float(np.diff(stream.times).mean())
    told = [1 / step, 1 / mean] if mean > 0 else [1 / step]
    if all(abs(rate / modality.rate_hz - 1) > RATE_OFF for rate in told):
        what = f"the time stamps tell {told[0]:.4g} Hz, {modality.rate_hz:g} Hz are stated"
        yield Finding("rate", where, modality.name, what, 1.0)


def duplicates(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Samples with the time stamp of the one before."""
    if stream.times is None or len(stream.times) < 2:
        return
    equal = np.diff(stream.times) == 0
    if equal.any():
        at = float(stream.times[np.flatnonzero(equal)[0]])
        what = f"{int(equal.sum())} samples have the time of the one before, first at {at:.4g} s"
        yield Finding("duplicate-time", where, modality.name, what, float(equal.mean()))


def conflicts(where: str, modality: Modality, stream: Stream) -> Iterator[Finding]:
    """Different values at one time, in an irregular sensor: which of them holds?

    In a sensor with a rate they are a burst that came in at once: see `duplicates`.
    """
    if stream.times is None or len(stream.times) < 2 or modality.rate_hz is not None:
        return
    both = ~(np.isnan(stream.values[1:]) | np.isnan(stream.values[:-1]))
    differ = ((stream.values[1:] != stream.values[:-1]) & both).any(axis=1)
    against = (np.diff(stream.times) == 0) & differ
    if against.any():
        at = float(stream.times[np.flatnonzero(against)[0]])
        what = f"{int(against.sum())} times have two values, first at {at:.4g} s"
        yield Finding("conflict", where, modality.name, what, float(against.mean()))
