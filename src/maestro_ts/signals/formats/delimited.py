"""Text tables with chosen columns: numbers, texts and moments; an empty field is missing."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, shown
from maestro_ts.signals.formats.signal_file import (
    Dialect,
    Request,
    Series,
    SignalFile,
    refuse_streams,
)
from maestro_ts.signals.formats.table import Column, Kind, Table, check_numbers, find_column

__all__ = [
    "MISSING",
    "Dialect",
    "describe",
    "is_number",
    "read",
    "read_delimited",
    "split_line",
    "text_lines",
]

# What stands for a missing number besides an empty field.
MISSING = ("", "NaN", "nan", "NAN", "NA", "N/A", "null", "NULL", "None")
LINES = 200  # that are looked at to tell the kinds of the columns
NS_PER_S = 1_000_000_000


def describe(file: SignalFile) -> list[Series]:
    """All columns of a text table, with the kind that the first lines suggest.

    Raises
    ------
    FormatError
        The text is empty.
    """
    dialect = file.dialect
    lines = [line for line in text_lines(file.data)[dialect.skip_lines :] if line.strip()]
    if not lines:
        raise FormatError("the file is empty.", where=f"{file.where}:1")
    head = split_line(lines[0], dialect)
    rows = [split_line(line, dialect) for line in lines[dialect.header : LINES]]
    kinds: dict[Column, Kind] = {}
    for i, name in enumerate(head):
        cells = [row[i] for row in rows if i < len(row) and row[i] not in MISSING]
        if name or not dialect.header:
            kinds[name if dialect.header else i + 1] = _kind(cells, dialect)
    return [Series(kinds)]


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """One table of all columns that are asked for; the same for every request."""
    refuse_streams(requests, file.where)
    wanted: dict[Column, Kind] = {}
    for request in requests:
        wanted |= request.columns
    return [read_delimited(file.data, file.where, wanted, file.dialect)] * len(requests)


def read_delimited(
    data: bytes, where: str, wanted: Mapping[Column, Kind], dialect: Dialect | None = None
) -> Table:
    """Read the wanted columns of a text table.

    Parameters
    ----------
    data : bytes
        Content of the file, UTF-8.
    where : str
        Names the file in errors.
    wanted : dict of column to kind
    dialect : Dialect, optional

    Returns
    -------
    Table
        Without rows when there is nothing but a header.

    Raises
    ------
    FormatError
        With file and line: no text, a column that is not there, a line with another number of
        fields, or a field that is not of its column's kind.
    """
    dialect = dialect or Dialect()
    data = _checked_text(data, where)
    head, body, first = _split_head(data, where, dialect)
    names = split_line(head, dialect)
    first_line = f"{where}:{first - 1 if dialect.header else first}"
    at = {column: find_column(column, names, first_line) for column in wanted}
    rows, notes = _without_end(body)
    if not rows:
        empty: dict[Column, NDArray[Any]] = {
            c: np.zeros(0, object if kind == "text" else np.float64) for c, kind in wanted.items()
        }
        return Table(where, 0, empty, "line", first, notes)
    texts = {at[c] for c, kind in wanted.items() if kind != "number"}
    count = rows.count(b"\n")
    try:
        # The fast parser takes an empty line for a row without values.
        if len(names) > 1 and (rows.startswith(b"\n") or b"\n\n" in rows):
            raise pa.ArrowInvalid("an empty line")
        found = _parse(rows, len(names), set(at.values()), texts, dialect)
        if any(len(values) != count for values in found.values()):
            raise pa.ArrowInvalid("a field runs over several lines")
        raw = {c: found[at[c]] for c in wanted}
        columns = {c: _converted(raw[c], kind, where, first, c) for c, kind in wanted.items()}
    except pa.ArrowInvalid:
        columns = _parse_slowly(rows, where, first, len(names), at, wanted, dialect)
    table = Table(where, count, columns, "line", first, notes)
    check_numbers(table)
    return table


def text_lines(data: bytes) -> list[str]:
    """The lines of a text in UTF-8, without their ends; for a look at a file."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def split_line(line: str, dialect: Dialect) -> list[str]:
    """Fields of one line, without the blanks around them."""
    fields = next(csv.reader([line], delimiter=dialect.delimiter), [""])
    return [field.strip() for field in fields]


def is_number(text: str, decimal: str) -> bool:
    """Whether a field holds a number, for a look at a table."""
    try:
        float(text.replace(decimal, "."))
    except ValueError:
        return False
    return text not in MISSING


def _kind(cells: Sequence[str], dialect: Dialect) -> Kind:
    if all(is_number(c, dialect.decimal) for c in cells):
        return "number"
    if all(re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", c) for c in cells):
        return "moment"
    return "text"


def _checked_text(data: bytes, where: str) -> bytes:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise FormatError("the file is empty.", where=f"{where}:1")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data:
        raise FormatError(
            "not a text in UTF-8 (it holds zero bytes).",
            where=f"{where}:1",
            fix="Save it as CSV in UTF-8, or name it .parquet if it is one.",
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FormatError(
            f"byte {data[error.start]:#04x} is not UTF-8.",
            where=f"{where}:{line}",
            fix="Save the file in UTF-8.",
        ) from None
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _split_head(data: bytes, where: str, dialect: Dialect) -> tuple[str, bytes, int]:
    """The line that tells the columns, the rows, and the number of the first row's line."""
    parts = data.split(b"\n", dialect.skip_lines + 1)
    if len(parts) <= dialect.skip_lines or not parts[dialect.skip_lines].strip():
        raise FormatError(
            f"no {'header' if dialect.header else 'row'} in this line.",
            where=f"{where}:{dialect.skip_lines + 1}",
        )
    head = parts[dialect.skip_lines].decode()
    rest = parts[dialect.skip_lines + 1] if len(parts) > dialect.skip_lines + 1 else b""
    if dialect.header:
        return head, rest, dialect.skip_lines + 2
    return head, parts[dialect.skip_lines] + b"\n" + rest, dialect.skip_lines + 1


def _without_end(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Rows without empty lines at the end; a note when the last line has no end."""
    rows = body.rstrip(b"\n")
    if not rows:
        return b"", ()
    complete = body.endswith(b"\n")
    return rows + b"\n", () if complete else ("the last line has no end: is the file complete?",)


def _parse(
    rows: bytes, width: int, needed: set[int], texts: set[int], dialect: Dialect
) -> dict[int, pa.ChunkedArray]:
    names = [str(c) for c in range(width)]
    kinds = {str(c): pa.string() if c in texts else pa.float64() for c in needed}
    table = pyarrow.csv.read_csv(
        pa.BufferReader(rows),
        # One block: a number of columns that changes must not pass at a border between blocks.
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, column_names=names, block_size=len(rows) + 1
        ),
        # An empty line in a table of one column is a missing value, in others an offence.
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.delimiter, ignore_empty_lines=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=kinds,
            include_columns=list(kinds),
            null_values=MISSING,
            decimal_point=dialect.decimal,
        ),
    )
    return {int(name): table.column(name) for name in kinds}


def _converted(
    values: pa.ChunkedArray, kind: Kind, where: str, first: int, column: Column
) -> NDArray[Any]:
    if kind == "number":
        numbers: NDArray[np.float64] = values.to_numpy()
        return numbers
    texts = np.array([t.strip() for t in values.to_pylist()], dtype=object)
    return texts if kind == "text" else _moments(texts, where, first, column)


def _moments(texts: NDArray[Any], where: str, first: int, column: Column) -> NDArray[np.float64]:
    """Seconds since 1970 of ISO 8601 texts; those without a zone are taken as UTC."""
    missing = np.isin(texts, MISSING)
    array = pa.array(texts, type=pa.string(), mask=missing)
    for zone in (None, "UTC"):
        try:
            stamps = pc.cast(array, pa.timestamp("ns", tz=zone))
        except pa.ArrowInvalid:
            continue
        ticks = stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return np.where(missing, np.nan, ticks // NS_PER_S + ticks % NS_PER_S / NS_PER_S)
    return _moments_slowly(texts, missing, where, first, column)


def _moments_slowly(
    texts: NDArray[Any], missing: NDArray[np.bool_], where: str, first: int, column: Column
) -> NDArray[np.float64]:
    """One by one: names the offence, or reads a spelling that the fast parser does not know."""
    seconds = np.full(len(texts), np.nan)
    zones = set()
    for row in np.flatnonzero(~missing):
        try:
            moment = datetime.fromisoformat(texts[row])
        except ValueError:
            raise FormatError(
                f"{shown(texts[row])} in column {column!r} is no date and time.",
                where=f"{where}:{first + row}",
                fix="Write it as 2024-05-31T13:45:10.250.",
            ) from None
        zones.add(moment.tzinfo is None)
        if len(zones) > 1:
            raise FormatError(
                f"column {column!r} has moments with and without a time zone.",
                where=f"{where}:{first + row}",
            )
        seconds[row] = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return seconds


def _parse_slowly(
    rows: bytes,
    where: str,
    first: int,
    width: int,
    at: Mapping[Column, int],
    wanted: Mapping[Column, Kind],
    dialect: Dialect,
) -> dict[Column, NDArray[Any]]:
    """Line by line, where the fast parser stumbled: names the offence, or forgives blanks."""
    found: dict[Column, list[str]] = {column: [] for column in wanted}
    for number, line in enumerate(rows.decode().split("\n")[:-1], start=first):
        fields = split_line(line, dialect)
        place = f"{where}:{number}"
        if len(fields) != width:
            said = f"{len(fields)} columns" if line.strip() else "an empty line"
            raise FormatError(f"{said}, {width} columns expected: {shown(line)}.", where=place)
        for column, kind in wanted.items():
            text = fields[at[column]]
            if kind == "number" and not (text in MISSING or _is_number(text, dialect)):
                raise FormatError(
                    f"{shown(text)} in column {column!r} is not a number.", where=place
                )
            found[column].append(text)
    columns: dict[Column, NDArray[Any]] = {}
    for column, kind in wanted.items():
        texts = np.array(found[column], dtype=object)
        if kind == "number":
            plain = [t.replace(dialect.decimal, ".") for t in found[column]]
            columns[column] = np.array([np.nan if t in MISSING else float(t) for t in plain])
        else:
            columns[column] = texts if kind == "text" else _moments(texts, where, first, column)
    return columns


def _is_number(text: str, dialect: Dialect) -> bool:
    if dialect.decimal != "." and "." in text:
        return False
    try:
        float(text.replace(dialect.decimal, "."))
    except ValueError:
        return False
    return "_" not in text
