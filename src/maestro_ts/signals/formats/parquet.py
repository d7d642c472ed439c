"""Parquet files with chosen columns: numbers, texts and moments; null is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.signal_file import Request, Series, SignalFile, refuse_streams
from maestro_ts.signals.formats.table import Column, Kind, Table, check_numbers, find_column

__all__ = ["describe", "parquet_types", "read", "read_parquet"]

NS_PER_S = 1_000_000_000


def describe(file: SignalFile) -> list[Series]:
    """All columns that can be read.

    Raises
    ------
    FormatError
        Not a Parquet file.
    """
    return [Series(parquet_types(file.data, file.where))]


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """One table of all columns that are asked for; the same for every request."""
    refuse_streams(requests, file.where)
    wanted: dict[Column, Kind] = {}
    for request in requests:
        wanted |= request.columns
    return [read_parquet(file.data, file.where, wanted)] * len(requests)


def read_parquet(data: bytes, where: str, wanted: Mapping[Column, Kind]) -> Table:
    """Read the wanted columns of a Parquet file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    where : str
        Names the file in errors.
    wanted : dict of column to kind

    Raises
    ------
    FormatError
        Not a Parquet file, cut short, a column that is not there or of another kind, an infinity.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = list(file.schema_arrow.names)
        at = {column: find_column(column, names, where) for column in wanted}
        table = file.read(columns=sorted({names[i] for i in at.values()}), use_threads=False)
    except FormatError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise FormatError(
            f"no Parquet file, or one that is cut short or damaged: {_first_line(error)}.",
            where=where,
        ) from error
    columns = {
        column: _converted(table.column(names[at[column]]), kind, where, column)
        for column, kind in wanted.items()
    }
    found = Table(where, table.num_rows, columns, "row", 1)
    check_numbers(found)
    return found


def parquet_types(data: bytes, where: str) -> dict[Column, Kind]:
    """Names of all columns and the kind that fits each; others are left out.

    Raises
    ------
    FormatError
        Not a Parquet file.
    """
    try:
        schema = pq.read_schema(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"no Parquet file: {_first_line(error)}.", where=where) from error
    found: dict[Column, Kind] = {}
    for field in schema:
        if pa.types.is_timestamp(field.type):
            found[field.name] = "moment"
        elif _is_number(field.type):
            found[field.name] = "number"
        elif _is_text(field.type):
            found[field.name] = "text"
    return found


def _converted(values: pa.ChunkedArray, kind: Kind, where: str, column: Column) -> NDArray[Any]:
    if kind == "number" and _is_number(values.type):
        numbers: NDArray[Any] = values.cast(pa.float64()).to_numpy()
        return np.asarray(numbers, dtype=np.float64)
    if kind == "text" and (_is_text(values.type) or _is_number(values.type)):
        plain = values.cast(pa.string()).to_pylist()
        return np.array([(t or "").strip() for t in plain], dtype=object)
    if kind == "moment" and pa.types.is_timestamp(values.type):
        missing = values.is_null().to_numpy()
        stamps = values.cast(pa.timestamp("ns", tz=values.type.tz))
        ticks = stamps.cast(pa.int64()).fill_null(0).to_numpy()
        return np.where(missing, np.nan, ticks // NS_PER_S + ticks % NS_PER_S / NS_PER_S)
    wanted = {"number": "numbers", "text": "text", "moment": "time stamps"}[kind]
    raise FormatError(f"column {column!r} holds {values.type}, {wanted} expected.", where=where)


def _is_number(kind: pa.DataType) -> bool:
    known = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
    return any(is_one(kind) for is_one in known)


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")
