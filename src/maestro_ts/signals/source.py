"""A source of recordings: the name of a published data set, or the path of your own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maestro_ts.errors import ConfigError, DataError, nearest
from maestro_ts.signals.datasets import DATASETS, card, read
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.distrust import distrust_scale
from maestro_ts.signals.folder import parse_layout, read_folder
from maestro_ts.signals.modality import Schema

__all__ = [
    "Source",
    "is_own",
    "is_own_folder",
    "parse_renames",
    "read_dataset",
    "read_source",
    "read_unlabelled",
    "renamed",
]


@dataclass(frozen=True)
class Source:
    """What was read, and how a folder of one's own was laid out.

    Attributes
    ----------
    card : Card
    reading : Reading
    layout : dict or None
        Plain values of the layout; None for a published data set.
    unused : tuple of str
        Tables of the folder that its schema does not name.
    """

    card: Card
    reading: Reading
    layout: dict[str, Any] | None = None
    unused: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """What the files hold where a card cannot know it, else the card's."""
        return self.reading.schema or self.card.schema


def is_own(source: str) -> bool:
    """Whether a source is a path; a registered name wins over a folder of that name."""
    return source not in DATASETS and Path(source).exists()


def is_own_folder(source: str, data: Path | None) -> bool:
    """Whether a source is a path, and no data set's name.

    Raises
    ------
    ConfigError
        Neither a name nor a path, or a path with `data`.
    """
    if source in DATASETS:
        return False
    if not is_own(source):
        raise ConfigError(
            f"Unknown data set {source!r}, and no file or folder of this name.",
            fix=nearest(source, DATASETS),
        )
    if data is not None:
        raise ConfigError(
            f"--data is given with the folder {source}.",
            fix="A folder holds its own data: give one of them.",
        )
    return True


def read_source(
    source: str,
    data: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    raw: bool = False,
    distrust: bool = False,
) -> Source:
    """Read a source.

    Parameters
    ----------
    source : str
        Name of a data set, or path of a folder or zip with a ``schema.yaml``.
    data : Path or None
        Archive or folder of a data set; a path needs none.
    progress : callable (done, total)
    raw : bool
        Filters and lower rates of a folder's schema, and repairs of a data set, are left out.
    distrust : bool
        Stretches of another scale are taken as missing.

    Raises
    ------
    ConfigError
        Neither a name nor a path, or a path with `data`.
    """
    if not is_own_folder(source, data):
        return read_dataset(source, data, progress, raw=raw, distrust=distrust)
    found = read_folder(Path(source), progress, raw=raw, distrust=distrust)
    return Source(found.card, found.reading, found.layout.to_tree(), found.unused)


def read_dataset(
    name: str,
    data: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    raw: bool = False,
    distrust: bool = False,
) -> Source:
    """Read a published data set; what `distrust` takes as missing is not repaired before."""
    reading = read(name, data, progress, as_recorded=raw or distrust)
    if distrust:
        trusted = [distrust_scale(recording) for recording in reading.recordings]
        reading = replace(reading, recordings=trusted)
    return Source(card(name), reading)


def read_unlabelled(
    path: Path,
    layout: Mapping[str, Any] | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    names: Mapping[str, str] | None = None,
    distrust: bool = False,
) -> Source:
    """Read a folder to predict; `layout` is the trained model's, for a folder without schema.

    A folder with one is filtered and downsampled as the model's; `names` are the folder's names of
    modalities and the model's.
    """
    known = parse_layout(dict(layout), "schema of the run") if layout is not None else None
    found = read_folder(
        path, progress, layout=known, names=names, labelled=False, distrust=distrust
    )
    return Source(found.card, found.reading, found.layout.to_tree(), found.unused)


def parse_renames(pairs: list[str]) -> dict[str, str]:
    """``["wrist_acc=acc"]`` → ``{"wrist_acc": "acc"}``: the input's name, then the model's."""
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (equals and old and new):
            raise ConfigError(
                f"--map takes INPUT=MODEL, got {pair!r}.", fix="Example: wrist_acc=acc"
            )
        if old in found:
            raise ConfigError(f"--map names {old!r} twice.")
        found[old] = new
    return found


def renamed(source: Source, names: Mapping[str, str]) -> Source:
    """The same recordings with modalities of other names.

    Raises
    ------
    DataError
        No such modality, or two would have the same name.
    """
    if not names:
        return source
    schema = source.schema
    for name in names:
        if name not in schema:
            raise DataError(
                f"--map: the input has no modality {name!r}.", fix=nearest(name, schema.names)
            )
    kept = [replace(m, name=names.get(m.name, m.name)) for m in schema]
    recordings = [
        replace(r, streams={names.get(n, n): s for n, s in r.streams.items()})
        for r in source.reading.recordings
    ]
    return replace(
        source,
        card=replace(source.card, schema=Schema(kept)),
        reading=replace(source.reading, recordings=recordings, schema=None),
    )
