"""Which files belong to which recording, and where the ``schema.yaml`` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from maestro_ts.errors import ConfigError, DataError, FormatError
from maestro_ts.signals.folder.layout import Layout, parse_layout
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.registry import SUFFIXES, format_of, load_format, reader_of
from maestro_ts.signals.formats.signal_file import Dialect, Request, SignalFile
from maestro_ts.signals.formats.table import Column, Kind, Table

__all__ = ["SCHEMA", "TABLES", "Files", "Place", "data_files", "find_layout", "find_places"]

SCHEMA = "schema.yaml"
TABLES = ("csv", "parquet")  # formats of what is said about recordings


@dataclass(frozen=True)
class Files:
    """The files of a place with their paths relative to the ``schema.yaml``.

    Attributes
    ----------
    folder : Folder
    root : str
        What the paths begin with inside `folder`: empty or ``…/``.
    dialect : Dialect
    """

    folder: Folder
    root: str
    dialect: Dialect
    _indices: dict[str, dict[tuple[str, ...], str]] = field(default_factory=dict, repr=False)

    @cached_property
    def paths(self) -> list[str]:
        """All files, but for hidden ones and what archivers add."""
        inside = [n[len(self.root) :] for n in self.folder.names if n.startswith(self.root)]
        return [n for n in inside if not _is_hidden(n)]

    def find(self, pattern: PathPattern, tells: Mapping[str, str]) -> str | None:
        """The file of a pattern that tells the same as a recording's; the first of several."""
        if pattern.text not in self._indices:
            index: dict[tuple[str, ...], str] = {}
            for path in self.paths:
                found = pattern.match(path)
                if found is not None:
                    index.setdefault(tuple(found[name] for name in pattern.names), path)
            self._indices[pattern.text] = index
        key = tuple(tells.get(name, "") for name in pattern.names)
        return self._indices[pattern.text].get(key)

    def open(self, path: str) -> SignalFile:
        """The content of one file, for the reader of its format."""
        folder = f"{self.root}{path}".rpartition("/")[0]

        def beside(name: str) -> bytes:
            return self.folder.read(f"{folder}/{name}" if folder else name)

        return SignalFile(path, self.folder.read(self.root + path), beside, self.dialect)

    def samples(self, path: str, name: str | None, requests: Sequence[Request]) -> list[Table]:
        """What is asked of one file, which is opened once.

        Parameters
        ----------
        path : str
        name : str or None
            The format; by the path's ending if None.
        requests : sequence of Request
        """
        return reader_of(path, name).read(self.open(path), requests)

    def columns(self, path: str) -> list[str]:
        """Names of a table's columns."""
        (series,) = load_format(_table_format(path)).describe(self.open(path))
        return [str(column) for column in series.columns]

    def table(self, path: str, wanted: Mapping[Column, Kind]) -> Table:
        """Columns of a table about recordings, by its ending a Parquet file or a text."""
        (table,) = load_format(_table_format(path)).read(self.open(path), [Request(wanted)])
        return table


def _table_format(path: str) -> str:
    """Text, unless the ending says another format."""
    name = format_of(path) or "csv"
    if name not in TABLES:
        raise FormatError("a table is expected here: CSV or Parquet.", where=path)
    return name


@dataclass
class Place:
    """One recording's files.

    Attributes
    ----------
    name : str
        Its placeholders' values joined by ``/``; unique.
    tells : dict
        What the path tells, by placeholder.
    files : dict of modality to path
    clashes : list of str
        Why the recording cannot be read.
    """

    name: str
    tells: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    clashes: list[FormatError] = field(default_factory=list)


def find_layout(folder: Folder, path: Path) -> tuple[Layout, str] | None:
    """The layout inside a folder or archive, or beside an archive, and the root of its paths."""
    inside = [n for n in folder.names if PurePosixPath(n).name == SCHEMA and not _is_hidden(n)]
    if inside:
        name = min(inside, key=lambda n: (n.count("/"), n))
        return parse_layout(_text(folder.read(name), name), name), name[: -len(SCHEMA)]
    beside = beside_archive(path)
    if path.is_file() and beside.is_file():
        return parse_layout(_text(beside.read_bytes(), beside.name), beside.name), top(folder)
    return None


def beside_archive(path: Path) -> Path:
    """Where the schema of an archive lies when it is not inside: ``study.zip.schema.yaml``."""
    return path.with_name(f"{path.name}.{SCHEMA}")


def top(folder: Folder) -> str:
    """The folder that holds everything in an archive, if there is one."""
    first = {n.split("/")[0] for n in folder.names if not _is_hidden(n)}
    whole = all("/" in n for n in folder.names if not _is_hidden(n))
    return f"{first.pop()}/" if whole and len(first) == 1 else ""


def data_files(files: Files) -> list[str]:
    """Files that could hold samples or labels."""
    return [p for p in files.paths if format_of(p) is not None]


def find_places(files: Files, layout: Layout) -> list[Place]:
    """Recordings in the order of their names.

    Raises
    ------
    FormatError
        No file matches any pattern.
    """
    places: dict[str, Place] = {}
    series = {n: m.pattern for n, m in layout.modalities.items() if not m.static}
    # '{recording}.csv' would take the tables about all recordings for recordings.
    tables = set(layout.tables)
    for path in files.paths:
        if path in tables:
            continue
        for modality, pattern in series.items():
            tells = pattern.match(path)
            if tells is None:
                continue
            # Without a placeholder there is one recording: the place itself.
            own = PurePosixPath(files.folder.where).name.removesuffix(".zip")
            name = "/".join(tells[key] for key in layout.key) or own or "recording"
            place = places.setdefault(name, Place(name, tells))
            if modality in place.files:
                place.clashes.append(
                    FormatError(
                        f"a second file of modality {modality!r} for recording {name!r}; the "
                        f"first is {place.files[modality]}.",
                        where=path,
                    )
                )
            place.files.setdefault(modality, path)
    if not places:
        wanted = ", ".join(sorted({repr(p.text) for p in series.values()}))
        seen = data_files(files)
        known = ", ".join(SUFFIXES)
        fix = f"It holds, for example, {seen[0]!r}." if seen else f"It holds no file of {known}."
        raise FormatError(f"no file matches {wanted}.", where=files.folder.where, fix=fix)
    return [places[name] for name in sorted(places)]


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError("not a text in UTF-8.", where=where) from None


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def no_layout(path: Path) -> DataError:
    """Make the error for a place without a schema."""
    return DataError(
        f"holds no {SCHEMA}, which says what the files are.",
        where=str(path),
        fix=f"Write a draft with: maestro-ts init {path}",
    )
