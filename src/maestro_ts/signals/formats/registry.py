"""The table of file formats: which ending belongs to which, and which module reads it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

from maestro_ts.errors import ConfigError, FormatError, nearest
from maestro_ts.signals.formats.signal_file import FormatReader

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Format",
    "format_of",
    "load_format",
    "reader_of",
]


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes
    ----------
    title : str
    module : str
        Has the functions of `FormatReader`; imported when it is used.
    suffixes : tuple of str
        Endings of its files, in lower case; none where a schema has to name the format.
    package, extra : str
        What it needs beyond the core, and the extra that brings it.
    tells_time : bool
        Whether its files may state the rate or the times of their samples.
    declares_length : bool
        Whether a file that is cut short can be told from a whole one.
    """

    title: str
    module: str
    suffixes: tuple[str, ...] = ()
    package: str = ""
    extra: str = ""
    tells_time: bool = True
    declares_length: bool = True


_HERE = "maestro_ts.signals.formats"
FORMATS = {
    "csv": Format(
        "text table",
        f"{_HERE}.delimited",
        (".csv", ".tsv", ".txt"),
        tells_time=False,
        declares_length=False,
    ),
    "parquet": Format("Parquet", f"{_HERE}.parquet", (".parquet", ".pq"), tells_time=False),
    "edf": Format("EDF, EDF+ or BDF", f"{_HERE}.edf", (".edf", ".bdf"), "edfio", "readers"),
    "wfdb": Format("WFDB record", f"{_HERE}.wfdb", (".hea",), "wfdb", "wfdb"),
    "xdf": Format("XDF", f"{_HERE}.xdf", (".xdf",), "pyxdf", "readers"),
    "hdf5": Format("HDF5", f"{_HERE}.hdf5", (".h5", ".hdf5"), "h5py", "readers"),
    "embrace": Format(
        "Empatica EmbracePlus avro", f"{_HERE}.embrace", (".avro",), "fastavro", "readers"
    ),
    "e4": Format("Empatica E4 csv", f"{_HERE}.empatica", declares_length=False),
}
SUFFIXES = {suffix: name for name, form in FORMATS.items() for suffix in form.suffixes}


def format_of(path: str) -> str | None:
    """Name of the format by a path's ending; None when it is no known one."""
    return SUFFIXES.get(PurePosixPath(path).suffix.lower())


def load_format(name: str) -> FormatReader:
    """The module of a format, by its name.

    Raises
    ------
    ConfigError
        No such format.
    """
    if name not in FORMATS:
        raise ConfigError(f"Unknown file format {name!r}.", fix=nearest(name, FORMATS))
    return cast(FormatReader, import_module(FORMATS[name].module))


def reader_of(path: str, name: str | None) -> FormatReader:
    """The module that reads a file: of the format that the schema names, or else of its ending.

    Raises
    ------
    FormatError
        An ending that is not known.
    """
    chosen = name or format_of(path)
    if chosen is None:
        raise FormatError(
            "the ending tells no format.",
            where=path,
            fix=f"Known: {', '.join(SUFFIXES)}; or say format: in schema.yaml "
            f"({', '.join(FORMATS)}).",
        )
    return load_format(chosen)
