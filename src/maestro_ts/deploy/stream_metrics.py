"""What became of the samples of a live stream, sensor by sensor."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["SensorMetrics", "StreamMetrics"]


@dataclass
class SensorMetrics:
    """Samples of one modality, counted.

    Attributes
    ----------
    accepted : int
        Taken; each is in every window that holds its time.
    late : int
        Refused: their window was answered already, or they lie before the stream's start.
    dropped : int
        Accepted and overwritten before their last window: more came than the buffer holds.
    rejected : int
        No samples of this modality: another number of channels, infinite, no times.
    since_last_s : float
        Seconds on the stream's clock since the newest sample, or since the start.
    silent : bool
        For longer than its time-out: windows do not wait for it.
    """

    accepted: int = 0
    late: int = 0
    dropped: int = 0
    rejected: int = 0
    since_last_s: float = 0.0
    silent: bool = False


@dataclass(frozen=True)
class StreamMetrics:
    """Counts since a stream's begin.

    Attributes
    ----------
    windows : int
        Answered.
    left_out : int
        Windows that hold too few samples to be asked (`WindowSpec.min_coverage`).
    now_s : float
        The stream's clock: the newest time known.
    sensors : dict of modality name to SensorMetrics
    """

    windows: int
    left_out: int
    now_s: float
    sensors: dict[str, SensorMetrics] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
