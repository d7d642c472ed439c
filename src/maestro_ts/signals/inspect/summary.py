"""One line per modality: how often it is there, how fast, how complete, how large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maestro_ts.signals.inspect.finding import ModalitySummary
from maestro_ts.signals.inspect.times import gaps, jitters, usual_step
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Recording, Stream

__all__ = ["summarise_modality"]


def summarise_modality(modality: Modality, recordings: Sequence[Recording]) -> ModalitySummary:
    """Look at one modality in all recordings."""
    streams = [s for r in recordings if (s := r.streams.get(modality.name)) is not None]
    samples = sum(len(s.values) for s in streams)
    silent = sum(int(np.isnan(s.values).all(axis=1).sum()) for s in streams)
    lengths = [_largest_gap(s) for s in streams]
    shaky = [j for s in streams if (j := jitters(s)) is not None]
    seen = [s.values for s in streams if not np.isnan(s.values).all()]
    return ModalitySummary(
        name=modality.name,
        unit=modality.unit,
        device=modality.device,
        channels=modality.channels,
        static=modality.static,
        stated_hz=modality.rate_hz,
        rate_hz=_rates(streams),
        recordings=len(streams),
        samples=samples,
        missing_share=silent / samples if samples else 0.0,
        gaps=sum(len(gaps(s)) for s in streams),
        largest_gap_s=max(lengths, default=0.0),
        jitter=float(np.median(shaky)) if shaky else None,
        lowest=min((float(np.nanmin(v)) for v in seen), default=None),
        highest=max((float(np.nanmax(v)) for v in seen), default=None),
    )


def _rates(streams: Sequence[Stream]) -> tuple[float, float, float] | None:
    rates = [1 / step for s in streams if (step := usual_step(s))]
    if not rates:
        return None
    return min(rates), float(np.median(rates)), max(rates)


def _largest_gap(stream: Stream) -> float:
    at = gaps(stream)
    return 0.0 if stream.times is None or not len(at) else float(np.diff(stream.times)[at].max())
