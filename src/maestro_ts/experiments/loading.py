"""A source → windows with labels, and what its reader refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.distrust import distrusted
from maestro_ts.signals.recording import unlabelled
from maestro_ts.signals.source import read_source
from maestro_ts.signals.store import Manifest, is_store, open_windows, read_recordings
from maestro_ts.signals.window_spec import WindowChanges, resolve
from maestro_ts.signals.windows import Windows

__all__ = ["LoadedData", "check_store", "load_data", "shortened", "with_numbers"]


@dataclass(frozen=True)
class LoadedData:
    """A data set, read and cut, and what its reader refused.

    Attributes
    ----------
    spec : WindowSpec
        How it was cut.
    layout : dict or None
        How a folder of one's own was laid out; None for a published set.
    distrust_scale : bool
        Whether stretches of another scale were taken as missing.
    distrusted : str
        How much that was, "" for nothing.
    """

    card: Card
    windows: Windows
    notes: list[str]
    spec: WindowSpec
    layout: Mapping[str, Any] | None = None
    distrust_scale: bool = False
    distrusted: str = ""


def load_data(
    dataset: str,
    data: Path | None,
    asked: WindowSpec | WindowChanges | None,
    progress: Progress,
    *,
    distrust: bool = False,
    labelled: bool = True,
) -> LoadedData:
    """Read and cut a source, or open a window store; refused files become notes, not silence.

    A store may stand in place of the data set's name or of its files. With `distrust` stretches of
    another scale are taken as missing; of a store that was prepared so they are in any case.
    Without `labelled` labels are left aside, and stretches without one are cut as well.
    """
    places = [place for place in (Path(dataset), data) if place is not None and is_store(place)]
    if places:
        loaded = _from_store(places[0], asked, distrust, labelled)
    else:
        loaded = _from_files(dataset, data, asked, progress, distrust, labelled)
    for note in (*shortened(loaded.notes), loaded.distrusted):
        if note:
            progress.note(note)
    if not labelled:
        return loaded
    if loaded.windows.labels is None:
        raise DataError("no recording has a label.", where=str(data or dataset))
    if loaded.card.target is None:
        return loaded
    return replace(loaded, windows=with_numbers(loaded.windows, str(data or dataset)))


def with_numbers(windows: Windows, where: str) -> Windows:
    """The same windows with the numbers that their labels write.

    Raises
    ------
    DataError
        A label that is no finite number.
    """
    assert windows.labels is not None
    try:
        numbers = windows.labels.astype(np.float64)
    except ValueError as error:
        raise DataError(f"a label is no number: {error}.", where=where) from error
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} labels are no finite number, the first is {windows.labels[wrong[0]]!r}.",
            where=f"{where}, {windows.describe(int(wrong[0]))}",
        )
    return windows.replace(labels=numbers)


def _from_files(
    dataset: str,
    data: Path | None,
    asked: WindowSpec | WindowChanges | None,
    progress: Progress,
    distrust: bool,
    labelled: bool,
) -> LoadedData:
    source = read_source(
        dataset,
        data,
        lambda done, total: progress.update("reading", done, total),
        distrust=distrust,
    )
    spec = resolve(asked, source.card.windows)
    recordings = source.reading.recordings
    windows = cut(recordings if labelled else unlabelled(recordings), source.schema, spec)
    notes = [f"not read: {r.where}: {r.why}" for r in source.reading.refused]
    told = distrusted(recordings)
    return LoadedData(source.card, windows, notes, spec, source.layout, distrust, told)


def _from_store(
    folder: Path, asked: WindowSpec | WindowChanges | None, distrust: bool, labelled: bool
) -> LoadedData:
    manifest = Manifest.load(folder)
    check_store(manifest, folder, distrust)
    spec = resolve(asked, manifest.spec)
    windows = open_windows(folder, spec, labelled=labelled)
    notes = [f"not read: {where}: {why}" for where, why in manifest.refused]
    told = distrusted(read_recordings(folder, manifest)) if manifest.distrust_scale else ""
    return LoadedData(
        manifest.card(folder.name),
        windows,
        notes,
        spec,
        manifest.layout,
        manifest.distrust_scale,
        told,
    )


def check_store(manifest: Manifest, folder: Path, distrust: bool) -> None:
    """Refuse a store in which other scales were left as they are when that is not wanted."""
    if distrust and not manifest.distrust_scale:
        raise ConfigError(
            "the store was prepared without --distrust-scale.",
            where=str(folder),
            fix="Prepare it with that option.",
        )


def shortened(notes: Sequence[str], most: int = 5) -> list[str]:
    """The first few notes and how many more there are."""
    more = len(notes) - most
    return [*notes[:most], *([f"… and {more} more files of this kind"] if more > 0 else [])]
