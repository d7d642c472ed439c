"""A stream relative to its baseline, one sample at a time."""

from __future__ import annotations

import math

from maestro_ts.signals.recording import Stream


def slow_scores(stream: Stream, period: float | str) -> list[list[float]]:
    """Deviations from the mean of the period in its standard deviations; rows of channels."""
    times = stream.sample_times()
    columns = []
    for channel in stream.values.T.tolist():
        known = []
        for at, value in zip(times, channel, strict=True):
            early = period == "session" or -1e-9 <= at < period - 1e-9
            if early and not math.isnan(value):
                known.append(value)
        if len(set(known)) < 2:
            columns.append([math.nan] * len(channel))
            continue
        mean = math.fsum(known) / len(known)
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in known) / len(known))
        columns.append([(x - mean) / deviation for x in channel])
    return [list(row) for row in zip(*columns, strict=True)]
