"""A source → windows with labels, and what its reader refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_ts.errors import DataError
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.source import read_source
from maestro_ts.signals.store import Manifest, is_store, open_windows
from maestro_ts.signals.windows import Windows

__all__ = ["LoadedData", "load_data", "shortened"]


@dataclass(frozen=True)
class LoadedData:
    """A data set, read and cut, and what its reader refused.

    Attributes
    ----------
    layout : dict or None
        How a folder of one's own was laid out; None for a published set.
    """

    card: Card
    windows: Windows
    notes: list[str]
    layout: dict[str, Any] | None = None


def load_data(
    dataset: str, data: Path | None, spec: WindowSpec | None, progress: Progress
) -> LoadedData:
    """Read and cut a source, or open a window store; refused files become notes, not silence.

    A store may stand in place of the data set's name or of its files.
    """
    for place in (Path(dataset), data):
        if place is not None and is_store(place):
            return _from_store(place, spec, progress)
    source = read_source(dataset, data, lambda done, total: progress.update("reading", done, total))
    about, reading = source.card, source.reading
    notes = [f"not read: {r.where}: {r.why}" for r in reading.refused]
    for note in shortened(notes):
        progress.note(note)
    windows = cut(reading.recordings, source.schema, spec or about.windows)
    if windows.labels is None:
        raise DataError("no recording has a label.", where=str(data or dataset))
    return LoadedData(about, windows, notes, source.layout)


def _from_store(folder: Path, spec: WindowSpec | None, progress: Progress) -> LoadedData:
    windows = open_windows(folder, spec)
    manifest = Manifest.load(folder)
    notes = [f"not read: {where}: {why}" for where, why in manifest.refused]
    for note in shortened(notes):
        progress.note(note)
    if windows.labels is None:
        raise DataError("no recording has a label.", where=str(folder))
    return LoadedData(manifest.card(folder.name), windows, notes)


def shortened(notes: Sequence[str], most: int = 5) -> list[str]:
    """The first few notes and how many more there are."""
    more = len(notes) - most
    return [*notes[:most], *([f"… and {more} more files of this kind"] if more > 0 else [])]
