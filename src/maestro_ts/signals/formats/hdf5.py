"""HDF5: arrays of numbers by their paths; nothing outside the file is followed.

A stream is an array [samples, channels] or of records with named fields; its columns are positions
from 1, or the names. A column that begins with ``/`` is an array [samples] of its own. The rate is
an attribute of the array or of its group, where there is one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, MissingExtraError, nearest
from maestro_ts.signals.formats.signal_file import (
    Request,
    Series,
    SignalFile,
    check_size,
    damage_as_format_error,
)
from maestro_ts.signals.formats.table import Clock, Column, Kind, Table, check_numbers, find_column

__all__ = ["describe", "read"]

RATES = ("rate_hz", "sampling_rate", "sampling_frequency", "sample_rate", "srate", "sfreq", "fs")
UNITS = ("unit", "units")
MAX_OBJECTS, MAX_DEPTH, MAX_CHANNELS = 10_000, 32, 1024
# Of what deflate can make of a byte, with room for other filters.
MAX_EXPANSION = 2000
FEW = 4096  # values that a file may leave out and have filled in


def describe(file: SignalFile) -> list[Series]:
    """All arrays of numbers; those of one group with equally many samples, [samples], together.

    Raises
    ------
    FormatError
        No HDF5 file, or one that is cut short.
    """
    with damage_as_format_error(file.where, "HDF5 file"), _open(file) as content:
        series: list[Series] = []
        alone: dict[tuple[str, int, float | None, str], dict[Column, Kind]] = {}
        for path, array in _arrays(content, file.where):
            rate, unit = _attribute_rate(content, path), _attribute_text(array, UNITS)
            names = _columns(array)
            if names is None and array.ndim == 1 and array.dtype.kind in "fiu":
                group = path.rpartition("/")[0]
                alone.setdefault((group, len(array), rate, unit), {})[path] = "number"
            elif names is not None:
                kinds: dict[Column, Kind] = dict.fromkeys(names, "number")
                series.append(Series(kinds, path, len(array), rate, False, unit))
        for (_, samples, rate, unit), kinds in alone.items():
            series.append(Series(kinds, "", samples, rate, False, unit))
        return series


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """Arrays or channels of arrays, with the rate of the first where it states one.

    Raises
    ------
    FormatError
        No HDF5 file, an array that is not there, lies in another file, or is not as long as the
        others of its request.
    """
    with damage_as_format_error(file.where, "HDF5 file"), _open(file) as content:
        return [_table(content, request, file.where) for request in requests]


def _open(file: SignalFile) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError.of("h5py", "readers", "Reading HDF5 files") from error
    return h5py.File(io.BytesIO(file.data), "r")


def _arrays(group: Any, where: str, path: str = "", depth: int = 0) -> list[tuple[str, Any]]:
    """Paths and arrays below a group; links of every kind are passed by."""
    import h5py

    found: list[tuple[str, Any]] = []
    if depth > MAX_DEPTH or len(group) > MAX_OBJECTS:
        raise FormatError("too many groups, or groups within themselves.", where=where)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        entry = group[name]
        if isinstance(entry, h5py.Group):
            found += _arrays(entry, where, f"{path}/{name}", depth + 1)
        elif isinstance(entry, h5py.Dataset):
            found.append((f"{path}/{name}", entry))
        if len(found) > MAX_OBJECTS:
            raise FormatError(f"more than {MAX_OBJECTS} arrays.", where=where)
    return found


def _columns(array: Any) -> list[Column] | None:
    """Columns of an array that is a stream; None when it is none."""
    if array.dtype.names and array.ndim == 1:
        names = [n for n in array.dtype.names if array.dtype[n].kind in "fiu"]
        return [n for n in names if array.dtype[n].shape == ()] or None
    if array.ndim == 2 and array.dtype.kind in "fiu" and 1 <= array.shape[1] <= MAX_CHANNELS:
        return list(range(1, array.shape[1] + 1))
    return None


def _table(content: Any, request: Request, where: str) -> Table:
    columns: dict[Column, NDArray[np.float64]] = {}
    rate: float | None = None
    values: NDArray[Any] | None = None
    for column, kind in request.columns.items():
        if kind != "number":
            raise FormatError(f"column {column!r}: only numbers are read.", where=where)
        alone = isinstance(column, str) and column.startswith("/")
        path = str(column) if alone else request.stream
        if not path:
            raise FormatError(
                f"column {column!r} of which array?",
                where=where,
                fix="Say stream: /path in schema.yaml, or columns: [/path] for an array of one "
                "dimension.",
            )
        if alone:
            columns[column] = _numbers(_loaded(content, path, where, one=True), path, where)
        else:
            if values is None:
                values = _loaded(content, path, where, one=False)
            columns[column] = _channel(values, column, path, where)
        rate = rate or _attribute_rate(content, path)
    lengths = {column: len(c) for column, c in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{c!r} {n}" for c, n in lengths.items())
        raise FormatError(f"arrays of several lengths in one modality: {told}.", where=where)
    clock = None if rate is None else Clock(rate)
    table = Table(where, next(iter(lengths.values())), columns, "row", 1, clock=clock)
    check_numbers(table)
    return table


def _loaded(content: Any, path: str, where: str, *, one: bool) -> NDArray[Any]:
    """All values of an array, after a look at what it declares."""
    import h5py

    place = f"{where}, {path}"
    node = content
    for part in path.strip("/").split("/"):
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            known = [p for p, _ in _arrays(content, where)]
            raise FormatError(f"no array {path!r}.", where=where, fix=nearest(path, known))
        if not isinstance(link, h5py.HardLink):
            raise FormatError("is a link; links are not followed.", where=place)
        node = node[part]
    if not isinstance(node, h5py.Dataset):
        raise FormatError("is a group, an array is expected.", where=place)
    if node.is_virtual or node.external:
        raise FormatError("its values lie in another file; those are not read.", where=place)
    if node.ndim != 1 and (one or node.ndim != 2):
        raise FormatError(
            f"has the shape {node.shape}.",
            where=place,
            fix=f"Say stream: {path} and columns: [1, 2, …] in schema.yaml."
            if node.ndim == 2
            else "Arrays [samples] and [samples, channels] are read.",
        )
    check_size(node.size, place)
    held = node.id.get_storage_size()
    if node.nbytes > FEW * node.dtype.itemsize and node.nbytes > held * MAX_EXPANSION:
        raise FormatError(f"declares {node.size} values and holds {held} bytes.", where=place)
    values: NDArray[Any] = node[()]
    return values


def _channel(values: NDArray[Any], column: Column, path: str, where: str) -> NDArray[np.float64]:
    place = f"{where}, {path}"
    if values.dtype.names:
        if isinstance(column, int):
            column = values.dtype.names[find_column(column, list(values.dtype.names), place)]
        elif column not in values.dtype.names:
            fix = nearest(column, values.dtype.names)
            raise FormatError(f"no field {column!r}.", where=place, fix=fix)
        return _numbers(values[column], path, where)
    if values.ndim == 1:
        values = values[:, None]
    names = [str(i + 1) for i in range(values.shape[1])]
    return _numbers(values[:, find_column(column, names, place)], path, where)


def _numbers(values: NDArray[Any], path: str, where: str) -> NDArray[np.float64]:
    if values.dtype.kind not in "fiu" or values.ndim != 1:
        raise FormatError(f"holds {values.dtype}, numbers are expected.", where=f"{where}, {path}")
    return values.astype(np.float64)


def _attribute_rate(content: Any, path: str) -> float | None:
    """What an attribute of the array, or of the group it lies in, says; in hertz."""
    for owner in (path, path.rpartition("/")[0] or "/"):
        for key in RATES:
            value = content[owner].attrs.get(key)
            if isinstance(value, int | float | np.integer | np.floating) and 0 < value < 1e9:
                return float(value)
    return None


def _attribute_text(array: Any, keys: Sequence[str]) -> str:
    for key in keys:
        value = array.attrs.get(key)
        if isinstance(value, str):
            return value
    return ""
