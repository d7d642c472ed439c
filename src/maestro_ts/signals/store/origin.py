"""Where recordings come from when they are read one at a time, by this process or another."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from maestro_ts.signals.datasets import part_reader
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.distrust import distrust_scale
from maestro_ts.signals.folder.reader import FolderReader
from maestro_ts.signals.formats.archive import Folder, open_folder
from maestro_ts.signals.recording import Recording

__all__ = ["DatasetOrigin", "FolderOrigin", "Opened", "Origin"]


class Opened(Protocol):
    """Files that are open."""

    def read(self, part: str) -> Recording | Refusal:
        """One recording, or why it cannot be read."""


class Origin(Protocol):
    """What a worker is told to open; pickled, and equal for equal files."""

    def open(self) -> AbstractContextManager[Opened]:
        """Open the files."""


@dataclass(frozen=True)
class DatasetOrigin:
    """The files of a published data set that can be read in parts."""

    dataset: str
    path: Path
    distrust: bool = False

    @property
    def reader(self) -> PartReader:
        """How its parts are read."""
        found = part_reader(self.dataset)
        assert found is not None, self.dataset
        return found.as_recorded() if self.distrust else found

    def open(self) -> AbstractContextManager[Opened]:
        """Open the archive or unpacked folder."""
        return _OpenDataset(self.reader, self.reader.open(self.path), self.distrust)


class _OpenDataset:
    def __init__(self, reader: PartReader, folder: Folder, distrust: bool) -> None:
        self._reader, self._folder, self._distrust = reader, folder, distrust

    def read(self, part: str) -> Recording | Refusal:
        found = self._reader.read(self._folder, part)
        if self._distrust and isinstance(found, Recording):
            return distrust_scale(found)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()


@dataclass(frozen=True)
class FolderOrigin:
    """A folder or zip with a ``schema.yaml``."""

    path: Path
    distrust: bool = False

    def open(self) -> FolderReader:
        """Open it, and read its schema and its tables about all recordings."""
        folder = open_folder(self.path)
        try:
            return FolderReader(folder, self.path, distrust=self.distrust)
        except BaseException:
            folder.close()
            raise
