"""Data sets that are read one recording at a time, so that no two need to be in memory.

A module of such a set has ``READER : PartReader`` beside ``CARD``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from maestro_ts.errors import DataError, MaestroError
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.formats.archive import (
    MAX_MEMBER_BYTES,
    Folder,
    check_refused,
    open_folder,
)
from maestro_ts.signals.recording import Recording

__all__ = ["PartReader", "Sources", "read_by_parts"]


@dataclass(frozen=True)
class PartReader:
    """How the recordings of a data set are read, one at a time.

    Attributes
    ----------
    parts : callable (folder) -> list of str
        What there is to read, in order.
    read_part : callable (folder, part) -> Recording
        A `MaestroError` refuses the part by name.
    max_bytes : int
        Larger files are refused.
    read_as_recorded : callable (folder, part) -> Recording, optional
        As `read_part`, without the repairs that the data set's card tells of.
    """

    parts: Callable[[Folder], list[str]]
    read_part: Callable[[Folder, str], Recording]
    max_bytes: int = MAX_MEMBER_BYTES
    read_as_recorded: Callable[[Folder, str], Recording] | None = None

    def as_recorded(self) -> PartReader:
        """The reader that repairs nothing."""
        return replace(self, read_part=self.read_as_recorded or self.read_part)

    def open(self, path: Path) -> Folder:
        """Open the archive or unpacked folder."""
        return open_folder(path, self.max_bytes)

    def read(self, folder: Folder, part: str) -> Recording | Refusal:
        """One recording, or why it cannot be read."""
        try:
            return self.read_part(folder, part)
        except MaestroError as error:
            return Refusal(error.where or part, error.what)


class Sources:
    """The sources that were read so far: a second recording of one is refused."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def admit(self, source: str, part: str) -> Refusal | None:
        """Take note of a source, or say that it was there before."""
        if source in self._seen:
            return Refusal(part, "a second file of this name; the first is used.")
        self._seen.add(source)
        return None


def read_by_parts(
    card: Card,
    path: Path | None,
    reader: PartReader,
    progress: Callable[[int, int], None],
) -> Reading:
    """Read all parts of an archive or unpacked folder.

    Raises
    ------
    DataError
        No path.
    FormatError
        Nothing of the data set is there, or more than half of the parts cannot be read.
    """
    if path is None:
        raise DataError(
            f"The data set {card.name!r} needs the path to its files.", fix=card.how_to_get
        )
    recordings: list[Recording] = []
    refused: list[Refusal] = []
    sources = Sources()
    with reader.open(path) as folder:
        names = reader.parts(folder)
        for done, part in enumerate(names, start=1):
            found = reader.read(folder, part)
            if isinstance(found, Recording):
                found = sources.admit(found.source, part) or found
            if isinstance(found, Recording):
                recordings.append(found)
            else:
                refused.append(found)
            progress(done, len(names))
    check_refused(str(path), len(recordings), [f"{r.where}: {r.why}" for r in refused])
    return Reading(recordings, refused)
