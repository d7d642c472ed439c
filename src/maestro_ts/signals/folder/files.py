"""Which files belong to which recording, and where the ``schema.yaml`` is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from maestro_ts.errors import ConfigError, DataError, FormatError
from maestro_ts.signals.folder.layout import Layout, parse_layout
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.delimited import Dialect, read_delimited, split_line, text_lines
from maestro_ts.signals.formats.parquet import parquet_types, read_parquet
from maestro_ts.signals.formats.table import Column, Kind, Table

__all__ = ["DATA_SUFFIXES", "SCHEMA", "Files", "Place", "data_files", "find_layout", "find_places"]

SCHEMA = "schema.yaml"
PARQUET = (".parquet", ".pq")
DATA_SUFFIXES = (".csv", ".tsv", ".txt", *PARQUET)


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

    def columns(self, path: str) -> list[str]:
        """Names of a table's columns."""
        data = self.folder.read(self.root + path)
        if PurePosixPath(path).suffix.lower() in PARQUET:
            return [str(name) for name in parquet_types(data, path)]
        lines = text_lines(data)[self.dialect.skip_lines :]
        return split_line(lines[0], self.dialect) if lines else []

    def table(self, path: str, wanted: Mapping[Column, Kind]) -> Table:
        """Columns of one file, by its ending a Parquet file or a text."""
        data = self.folder.read(self.root + path)
        if PurePosixPath(path).suffix.lower() in PARQUET:
            return read_parquet(data, path, wanted)
        return read_delimited(data, path, wanted, self.dialect)


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
    return [p for p in files.paths if PurePosixPath(p).suffix.lower() in DATA_SUFFIXES]


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
            name = "/".join(tells[key] for key in layout.key)
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
        fix = f"It holds, for example, {seen[0]!r}." if seen else "It holds no CSV or Parquet file."
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
