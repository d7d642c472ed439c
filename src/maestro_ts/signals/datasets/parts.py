"""Data sets that are read one recording at a time, so that no two need to be in memory.

A module of such a set has, beside ``CARD`` and ``read``::

    parts(folder: Folder) -> list[str]                    # what to read, in order
    read_part(folder: Folder, part: str) -> Recording     # raises a MaestroError: refused by name
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maestro_ts.errors import DataError, MaestroError
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.formats.archive import Folder, check_refused, open_folder
from maestro_ts.signals.recording import Recording

__all__ = ["Parts", "ReadPart", "Sources", "read_by_parts", "try_part"]

Parts = Callable[[Folder], list[str]]
ReadPart = Callable[[Folder, str], Recording]


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


def try_part(read_part: ReadPart, folder: Folder, part: str) -> Recording | Refusal:
    """One recording, or why it cannot be read."""
    try:
        return read_part(folder, part)
    except MaestroError as error:
        return Refusal(error.where or part, error.what)


def read_by_parts(
    card: Card,
    path: Path | None,
    parts: Parts,
    read_part: ReadPart,
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
    with open_folder(path) as folder:
        names = parts(folder)
        for done, part in enumerate(names, start=1):
            found = try_part(read_part, folder, part)
            if isinstance(found, Recording):
                found = sources.admit(found.source, part) or found
            if isinstance(found, Recording):
                recordings.append(found)
            else:
                refused.append(found)
            progress(done, len(names))
    check_refused(str(path), len(recordings), [f"{r.where}: {r.why}" for r in refused])
    return Reading(recordings, refused)
