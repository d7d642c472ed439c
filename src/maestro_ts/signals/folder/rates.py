"""Rates that only the files tell: one for each modality of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from maestro_ts.errors import FormatError, MaestroError
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import Layout
from maestro_ts.signals.folder.streams import at_rate, read_raw, to_signals
from maestro_ts.signals.formats.registry import FORMATS
from maestro_ts.signals.recording import Recording

__all__ = ["at_rates", "find_rates"]


def find_rates(files: Files, layout: Layout, places: Mapping[str, Place]) -> dict[str, float]:
    """Rates of the modalities for which the schema states none, where the files do.

    The first recording that can be read decides: then no other needs to be read for it.
    """
    open_ = {
        name
        for name, m in layout.modalities.items()
        if not m.static and m.rate_hz is None and m.time is None
        if FORMATS[m.file_format].tells_time
    }
    rates: dict[str, float] = {}
    for place in places.values():
        wanted = (open_ - rates.keys()) & place.files.keys()
        if not wanted or place.clashes:
            continue
        try:
            streams = to_signals(read_raw(files, layout, place, None), layout).streams
        except MaestroError:
            continue  # whoever reads this recording is told
        for name in wanted & streams.keys():
            rate_hz = streams[name].rate_hz
            if rate_hz is None:
                open_.discard(name)
            else:
                rates[name] = rate_hz
    return rates


def at_rates(recording: Recording, rates: Mapping[str, float], where: str) -> Recording:
    """The recording at these rates; a stream whose rate differs a little carries time stamps.

    Raises
    ------
    FormatError
        Quite another rate.
    """
    streams = dict(recording.streams)
    for name in rates.keys() & streams.keys():
        stream = at_rate(streams[name], rates[name])
        if stream is None:
            raise FormatError(
                f"{name} has {streams[name].rate_hz:g} Hz, the first recording {rates[name]:g} Hz.",
                where=where,
            )
        streams[name] = stream
    return replace(recording, streams=streams)
