"""Scripted failures of sensors: what was recorded, spoilt at known places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.signals.recording import Recording, Stream

__all__ = ["Failure", "Kind", "apply_failures"]

Kind = Literal["off", "gap", "unit", "stuck"]


@dataclass(frozen=True)
class Failure:
    """What befalls one sensor from `start_s` to before `end_s`.

    Parameters
    ----------
    modality : str
    kind : {"off", "gap", "unit", "stuck"}
        off: every sample is missing (NaN). gap: the samples do not exist; the stream gets times.
        unit: the values are multiplied by `factor`. stuck: every sample repeats the last one
        before, or the first one of the span.
    start_s, end_s : float
        On the recording's clock.
    factor : float
        Only for unit.
    """

    modality: str
    kind: Kind
    start_s: float
    end_s: float
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigError(
                f"Unknown failure {self.kind!r}.", fix=nearest(self.kind, get_args(Kind))
            )
        if not self.start_s < self.end_s:
            raise ConfigError(
                f"A failure ends after it starts, got {self.start_s!r} to {self.end_s!r} s."
            )
        if (self.kind == "unit") == (self.factor == 1):
            raise ConfigError(f"factor is for 'unit' alone, got {self.factor!r} for {self.kind!r}.")

    def __str__(self) -> str:
        by = f" by {self.factor:g}" if self.kind == "unit" else ""
        return (
            f"{self.modality}: {self.kind}{by} from {self.start_s:g} to {self.end_s:g} s (scripted)"
        )


def apply_failures(recording: Recording, failures: Iterable[Failure]) -> Recording:
    """A copy in which the failures happened, one after another; each is said in its notes.

    Raises
    ------
    DataError
        The recording lacks a failing modality, or has no sample of it in that time.
    """
    streams = dict(recording.streams)
    notes = list(recording.notes)
    for failure in failures:
        if failure.modality not in streams:
            raise DataError(
                f"no modality {failure.modality!r} that could fail.",
                where=recording.source,
                fix=nearest(failure.modality, streams),
            )
        streams[failure.modality] = _failed(streams[failure.modality], failure, recording.source)
        notes.append(str(failure))
    return replace(recording, streams=streams, notes=tuple(notes))


def _failed(stream: Stream, failure: Failure, where: str) -> Stream:
    times = stream.sample_times()
    # The hair keeps a sample whose time is exactly a border on its side, as in cutting.
    inside = (times >= failure.start_s - 1e-9) & (times < failure.end_s - 1e-9)
    if not inside.any():
        raise DataError(
            f"no sample from {failure.start_s:g} to {failure.end_s:g} s.",
            where=f"{where}, modality {failure.modality!r}",
        )
    if failure.kind == "gap":
        return replace(stream, values=stream.values[~inside], times=times[~inside])
    return replace(stream, values=_spoilt(stream.values, inside, failure))


def _spoilt(
    values: NDArray[np.float32], inside: NDArray[np.bool_], failure: Failure
) -> NDArray[np.float32]:
    values = values.copy()
    if failure.kind == "off":
        values[inside] = np.nan
    elif failure.kind == "unit":
        values[inside] *= np.float32(failure.factor)
    else:
        first = int(np.flatnonzero(inside)[0])
        values[inside] = values[max(first - 1, 0)]
    return values
