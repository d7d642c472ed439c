"""Streams whose scale changes: the stretch that disagrees is taken as missing, never rescaled.

Which of two stretches has the right unit no file tells; the shorter one is taken to be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from maestro_ts.signals.inspect.units import scale_change
from maestro_ts.signals.recording import Recording

__all__ = ["distrust_scale", "distrusted"]

# A note is what a store keeps of it, so that is where it is counted from.
NOTE = "{name}: {seconds:.6g} s of {whole:.6g} s are on another scale ({times:.4g} times): missing."
FORM = re.compile(r".+: (\S+) s of (\S+) s are on another scale \(\S+ times\): missing\.")


def distrust_scale(recording: Recording) -> Recording:
    """The recording with NaN where a stream has another scale than in the longer rest of it.

    What is found is what `inspect` calls a ``unit-change``: at most one in a stream. A note says
    what became missing.
    """
    streams, notes = dict(recording.streams), list(recording.notes)
    for name in sorted(streams):
        stream = streams[name]
        found = scale_change(stream.values)
        if found is None:
            continue
        at, factor = found
        begins = at <= len(stream.values) - at
        wrong = slice(None, at) if begins else slice(at, None)
        times = stream.sample_times()
        seconds = times[at] - times[0] if begins else stream.end_s - times[at]
        values = stream.values.copy()
        values[wrong] = np.nan
        streams[name] = replace(stream, values=values)
        notes.append(
            NOTE.format(
                name=name,
                seconds=seconds,
                whole=stream.end_s - times[0],
                times=max(factor, 1 / factor),
            )
        )
    return replace(recording, streams=streams, notes=tuple(notes))


def distrusted(recordings: Iterable[Recording]) -> str:
    """How much `distrust_scale` took from these recordings, in one sentence; "" for nothing."""
    found = [m for r in recordings for note in r.notes if (m := FORM.fullmatch(note))]
    if not found:
        return ""
    lost, whole = (sum(float(m[group]) for m in found) for group in (1, 2))
    return (
        f"scale distrusted: {len(found)} streams, {lost:.4g} of their {whole:.4g} s "
        f"({lost / whole:.1%}) taken as missing"
    )
