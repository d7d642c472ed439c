"""`Table`: chosen columns of a file, and where in the file each row stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, nearest
from maestro_ts.signals.formats.csv import LARGEST

__all__ = ["Clock", "Column", "Kind", "Table", "check_numbers", "find_column"]

Column = str | int  # a name in the header, or a position counted from 1
Kind = Literal["number", "text", "moment"]


@dataclass(frozen=True)
class Clock:
    """What a file says itself of the times of its rows.

    Attributes
    ----------
    rate_hz : float or None
        The rate; beside `times` the nominal one.
    times : ndarray, shape (rows,), or None
        Seconds; None: row j is at ``start_s + j / rate_hz``.
    start_s : float
    from_first : bool
        The times count from 1970 or from a computer's start, so that a recording's first sample
        becomes its 0 s. False: 0 in the file is the recording's 0 s.
    begins_s : float or None
        Where the file's 0 s lies on a clock that the files of a recording share.
    """

    rate_hz: float | None = None
    times: NDArray[np.float64] | None = None
    start_s: float = 0.0
    from_first: bool = False
    begins_s: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows of a file.

    Attributes
    ----------
    where : str
        Names the file in errors.
    rows : int
    columns : dict of column to ndarray, shape (rows,)
        Numbers and moments are float64 (moments: seconds since 1970, NaN is missing), texts are
        str objects ("" is missing).
    row_name : {"line", "row", "sample"}
        What `first` counts: lines of a text, rows of a binary table, or samples of a signal.
    first : int
        Number of the first row.
    notes : tuple of str
    clock : Clock or None
        None where only a column or the user can tell the times.
    """

    where: str
    rows: int
    columns: Mapping[Column, NDArray[Any]]
    row_name: Literal["line", "row", "sample"]
    first: int
    notes: tuple[str, ...] = field(default=())
    clock: Clock | None = None

    def at(self, row: int) -> str:
        """Place of a row (from 0): ``walk.csv:12``, or ``walk.parquet, row 12``."""
        return place(self.where, self.row_name, self.first + row)


def place(where: str, row_name: str, number: int) -> str:
    """Name a line or row of a file."""
    return f"{where}:{number}" if row_name == "line" else f"{where}, row {number}"


def find_column(column: Column, names: list[str], where: str) -> int:
    """Position of a column, from 0.

    Raises
    ------
    FormatError
        No such column, or two of this name.
    """
    if isinstance(column, int):
        if not 1 <= column <= len(names):
            raise FormatError(f"no column {column}: there are {len(names)}.", where=where)
        return column - 1
    if column not in names:
        raise FormatError(f"no column {column!r}.", where=where, fix=nearest(column, names))
    if names.count(column) > 1:
        raise FormatError(f"{names.count(column)} columns are called {column!r}.", where=where)
    return names.index(column)


def check_numbers(table: Table) -> None:
    """Refuse infinities and what 32 bits cannot hold, with the row."""
    for column, values in table.columns.items():
        if values.dtype.kind != "f":
            continue
        bad = np.flatnonzero(np.abs(values) > LARGEST)
        if len(bad):
            value = values[bad[0]]
            what = "infinite" if np.isinf(value) else f"{value:g}, too large for 32 bits"
            raise FormatError(
                f"column {column!r} is {what}.",
                where=table.at(int(bad[0])),
                fix="Leave a missing value empty, or write NaN.",
            )
