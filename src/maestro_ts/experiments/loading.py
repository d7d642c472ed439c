"""A source → windows with labels, and what its reader refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_ts.errors import DataError
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import DATASETS
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.source import read_source
from maestro_ts.signals.store import Manifest, is_store, open_windows
from maestro_ts.signals.window_spec import WindowChanges, resolve
from maestro_ts.signals.windows import Windows

__all__ = ["LoadedData", "load_data", "shortened"]


@dataclass(frozen=True)
class LoadedData:
    """A data set, read and cut, and what its reader refused.

    Attributes
    ----------
    spec : WindowSpec
        How it was cut.
    layout : dict or None
        How a folder of one's own was laid out; None for a published set.
    """

    card: Card
    windows: Windows
    notes: list[str]
    spec: WindowSpec
    layout: dict[str, Any] | None = None


def load_data(
    dataset: str,
    data: Path | None,
    asked: WindowSpec | WindowChanges | None,
    progress: Progress,
) -> LoadedData:
    """Read and cut a source, or open a window store; refused files become notes, not silence.

    A store may stand in place of the data set's name or of its files.
    """
    places = [place for place in (Path(dataset), data) if place is not None and is_store(place)]
    if places:
        loaded = _from_store(places[0], asked)
    else:
        loaded = _from_files(dataset, data, asked, progress)
    for note in shortened(loaded.notes):
        progress.note(note)
    if loaded.windows.labels is None:
        raise DataError("no recording has a label.", where=str(data or dataset))
    if loaded.card.name in DATASETS and not loaded.card.classes:
        raise DataError(
            f"{loaded.card.name} has numbers to be estimated, no classes: {loaded.card.task}.",
            fix="Only classifiers can be trained so far.",
        )
    return loaded


def _from_files(
    dataset: str, data: Path | None, asked: WindowSpec | WindowChanges | None, progress: Progress
) -> LoadedData:
    source = read_source(dataset, data, lambda done, total: progress.update("reading", done, total))
    spec = resolve(asked, source.card.windows)
    windows = cut(source.reading.recordings, source.schema, spec)
    notes = [f"not read: {r.where}: {r.why}" for r in source.reading.refused]
    return LoadedData(source.card, windows, notes, spec, source.layout)


def _from_store(folder: Path, asked: WindowSpec | WindowChanges | None) -> LoadedData:
    manifest = Manifest.load(folder)
    spec = resolve(asked, manifest.spec)
    windows = open_windows(folder, spec)
    notes = [f"not read: {where}: {why}" for where, why in manifest.refused]
    return LoadedData(manifest.card(folder.name), windows, notes, spec)


def shortened(notes: Sequence[str], most: int = 5) -> list[str]:
    """The first few notes and how many more there are."""
    more = len(notes) - most
    return [*notes[:most], *([f"… and {more} more files of this kind"] if more > 0 else [])]
