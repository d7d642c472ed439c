"""Rates that only the files tell: one for each modality of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.folder.layout import Layout
from maestro_ts.signals.folder.streams import at_rate
from maestro_ts.signals.recording import Recording

__all__ = ["settle_rates"]


def settle_rates(
    layout: Layout, recordings: Sequence[Recording]
) -> tuple[Layout, list[Recording], list[Refusal]]:
    """Give every modality without a stated rate the one that most recordings have.

    Returns
    -------
    layout : Layout
        With these rates.
    recordings : list of Recording
        Those whose rate differs a little carry time stamps.
    refused : list of Refusal
        Recordings of quite another rate.
    """
    open_ = [n for n, m in layout.modalities.items() if not m.static and m.rate_hz is None]
    found: dict[str, Counter[float]] = {name: Counter() for name in open_}
    for recording in recordings:
        for name in open_:
            stream = recording.streams.get(name)
            if stream is not None and stream.rate_hz is not None:
                found[name][stream.rate_hz] += 1
    rates = {name: seen.most_common(1)[0][0] for name, seen in found.items() if seen}
    kept: list[Recording] = []
    refused: list[Refusal] = []
    for recording in recordings:
        settled = _settled(recording, rates)
        if isinstance(settled, Refusal):
            refused.append(settled)
        else:
            kept.append(settled)
    return layout.with_rates(rates), kept, refused


def _settled(recording: Recording, rates: dict[str, float]) -> Recording | Refusal:
    streams = dict(recording.streams)
    for name, rate in rates.items():
        if name not in streams:
            continue
        stream = at_rate(streams[name], rate)
        if stream is None:
            why = f"{name} has {streams[name].rate_hz:g} Hz, most recordings have {rate:g} Hz."
            return Refusal(recording.source, why)
        streams[name] = stream
    return replace(recording, streams=streams)
