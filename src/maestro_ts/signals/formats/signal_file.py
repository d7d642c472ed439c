"""`SignalFile`, what the reader of a format is given; `Series` and `Request`, what it answers.

A format is a module with ``describe(file) -> list[Series]``, which signals there are, and
``read(file, requests) -> list[Table]``, one table for each request.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from maestro_ts.errors import DataError, FormatError, MaestroError, nearest
from maestro_ts.signals.formats.table import Column, Kind, Table

__all__ = [
    "MAX_VALUES",
    "Dialect",
    "FormatReader",
    "Request",
    "Series",
    "SignalFile",
    "check_size",
    "damage_as_format_error",
    "find_series",
    "refuse_streams",
]

MAX_VALUES = 2**28  # of one file that are held at a time: 1 GiB as float32


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    delimiter : str
    decimal : str
        Decimal point or comma.
    header : bool
        Whether the first line names the columns.
    skip_lines : int
        Lines before the header or the first row.
    """

    delimiter: str = ","
    decimal: str = "."
    header: bool = True
    skip_lines: int = 0


def _alone(name: str) -> bytes:
    raise DataError("no such file beside it.", where=name)


@dataclass(frozen=True)
class SignalFile:
    """One file in memory.

    Attributes
    ----------
    where : str
        Names it in errors; its path from the folder of the schema.
    data : bytes
    beside : callable (name) -> bytes
        Content of another file in the same folder, for formats that come in several files.
    dialect : Dialect
        How text tables are written.
    """

    where: str
    data: bytes
    beside: Callable[[str], bytes] = _alone
    dialect: Dialect = field(default_factory=Dialect)


@dataclass(frozen=True)
class Series:
    """Columns of a file that share their rows.

    Attributes
    ----------
    columns : dict of column to kind
        As a schema names them.
    stream : str
        Which of a file's several series; empty where its columns say it.
    samples : int or None
        Rows; None where only reading tells.
    rate_hz : float or None
        As the file states it; None when it states none.
    timed : bool
        The file has a time for every row.
    unit : str
    """

    columns: Mapping[Column, Kind]
    stream: str = ""
    samples: int | None = None
    rate_hz: float | None = None
    timed: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Request:
    """Columns to read from one series."""

    columns: Mapping[Column, Kind]
    stream: str = ""


class FormatReader(Protocol):
    """What the module of a format offers."""

    def describe(self, file: SignalFile) -> list[Series]:
        """Which signals a file has; their values are not read where the format allows that."""
        ...

    def read(self, file: SignalFile, requests: Sequence[Request]) -> list[Table]:
        """One table for each request, in their order."""
        ...


@contextmanager
def damage_as_format_error(where: str, kind: str) -> Iterator[None]:
    """Turn whatever a foreign library raises over a damaged file into one `FormatError`.

    Its warnings are kept back: what matters is checked before or after, and refused.

    Parameters
    ----------
    where : str
        Names the file.
    kind : str
        What was expected: ``EDF file``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MaestroError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise FormatError(
            f"no {kind}, or one that is cut short or damaged: {lines[0].rstrip('.')}.", where=where
        ) from error


def check_size(values: int, where: str) -> None:
    """Refuse more numbers than are read at a time, before any memory is taken for them."""
    if values > MAX_VALUES:
        raise FormatError(
            f"declares {values} values; at most {MAX_VALUES} are read.",
            where=where,
            fix="Split the recording into several files.",
        )


def refuse_streams(requests: Sequence[Request], where: str) -> None:
    """Refuse a request that names a stream, of a format that has none."""
    for request in requests:
        if request.stream:
            raise FormatError(
                f"has no streams, and {request.stream!r} is asked for.",
                where=where,
                fix="Leave out stream: in schema.yaml.",
            )


def find_series(stream: str, known: Sequence[Series], where: str) -> Series:
    """The series of a name; without a name the only one.

    Raises
    ------
    FormatError
        There is none of this name, or several and none was named.
    """
    names = [series.stream for series in known]
    if not stream and len(known) == 1:
        return known[0]
    if not stream:
        raise FormatError(
            f"has {len(known)} streams, and none is named.",
            where=where,
            fix=f"Say stream: in schema.yaml. Known: {', '.join(names) or 'none'}.",
        )
    if stream not in names:
        raise FormatError(f"no stream {stream!r}.", where=where, fix=nearest(stream, names))
    return known[names.index(stream)]
