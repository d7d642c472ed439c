"""Whether the devices of a recording begin and end together."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_ts.signals.inspect.finding import Finding
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording

__all__ = ["ends_apart"]

APART_S = 1.0
APART_SHARE = 0.02  # of the recording


def ends_apart(recording: Recording, schema: Schema) -> Iterator[Finding]:
    """Devices that begin or end far from each other: an offset of clocks, or a loss.

    Sensors that measure only now and then (no rate) are left out.
    """
    spans: dict[str, tuple[float, float]] = {}
    for name, stream in recording.streams.items():
        modality = schema[name]
        if modality.static or modality.rate_hz is None or not len(stream.values):
            continue
        times = stream.sample_times()
        low, high = spans.get(modality.device, (float("inf"), float("-inf")))
        spans[modality.device] = min(low, float(times[0])), max(high, float(times[-1]))
    if len(spans) < 2:
        return
    limit = max(APART_S, APART_SHARE * recording.duration_s)
    for side, word in ((0, "begin"), (1, "end")):
        points = {device: span[side] for device, span in spans.items()}
        first, last = min(points, key=points.__getitem__), max(points, key=points.__getitem__)
        apart = points[last] - points[first]
        if apart > limit:
            what = (
                f"devices {word} {apart:.4g} s apart: {first} at {points[first]:.4g} s, "
                f"{last} at {points[last]:.4g} s"
            )
            share = min(apart / recording.duration_s, 1.0)
            yield Finding(f"{word}-apart", recording.source, "", what, share)
