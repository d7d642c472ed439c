"""Avro files of the Empatica EmbracePlus: each sensor with its own start and rate, in its unit."""

from __future__ import annotations

import io
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, MissingExtraError
from maestro_ts.signals.formats.signal_file import (
    Request,
    Series,
    SignalFile,
    damage_as_format_error,
    find_series,
)
from maestro_ts.signals.formats.table import Clock, Column, Table, check_numbers, find_column

__all__ = ["describe", "read"]

START = b"Obj\x01"
US_PER_S = 1e6
UNITS = {"accelerometer": "g", "gyroscope": "deg/s", "eda": "uS", "temperature": "degC"}
# A file holds a quarter of an hour, about 1 MB; every number becomes an object of up to 40 bytes.
MAX_BYTES = 16 * 2**20
MAX_SCHEMA_BYTES, MAX_DEPTH = 2**20, 20
SIMPLE = ("boolean", "int", "long", "float", "double", "bytes", "string", "enum")


def describe(file: SignalFile) -> list[Series]:
    """Every sensor with samples, as ``rawData.eda``.

    Raises
    ------
    FormatError
        No Avro file of an EmbracePlus, or one that is cut short.
    """
    found = []
    for name, sensor in _sensors(file).items():
        columns = _columns(sensor)
        rows = len(sensor[columns[0]])
        unit = UNITS.get(name.rpartition(".")[2], "")
        rate = _rate(sensor, f"{file.where}, {name}") if rows else None
        found.append(Series(dict.fromkeys(columns, "number"), name, rows, rate, False, unit))
    return found


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """Channels of sensors in physical units; times count from 1970.

    Raises
    ------
    FormatError
        No Avro file of an EmbracePlus, one that is cut short, a sensor or channel that is not
        there.
    """
    sensors = _sensors(file)
    known = [Series(dict.fromkeys(_columns(s), "number"), n) for n, s in sensors.items()]
    tables = []
    with damage_as_format_error(file.where, "Avro file of an EmbracePlus"):
        for request in requests:
            name = find_series(request.stream, known, file.where).stream
            tables.append(_table(sensors[name], request, f"{file.where}, {name}"))
    return tables


def _table(sensor: Mapping[str, Any], request: Request, where: str) -> Table:
    names = _columns(sensor)
    columns: dict[Column, NDArray[np.float64]] = {}
    for column, kind in request.columns.items():
        if kind != "number":
            raise FormatError(f"column {column!r}: only numbers are read.", where=where)
        columns[column] = _physical(sensor, names[find_column(column, names, where)], where)
    rows = {len(c) for c in columns.values()}
    if len(rows) > 1:
        raise FormatError(f"channels of several lengths: {sorted(rows)}.", where=where)
    clock = None
    if rows != {0}:
        start = float(sensor["timestampStart"]) / US_PER_S
        clock = Clock(_rate(sensor, where), start_s=start, from_first=True)
    table = Table(where, rows.pop(), columns, "sample", 1, clock=clock)
    check_numbers(table)
    return table


def _rate(sensor: Mapping[str, Any], where: str) -> float:
    rate = sensor["samplingFrequency"]
    if not isinstance(rate, int | float) or not (math.isfinite(rate) and rate > 0):
        raise FormatError(f"a rate of {rate!r} Hz is impossible.", where=where)
    return float(rate)


def _physical(sensor: Mapping[str, Any], column: str, where: str) -> NDArray[np.float64]:
    """Values, shape (T,): those of the motion sensors are steps of a converter."""
    values = np.asarray(sensor[column], dtype=np.float64)
    scale = sensor.get("imuParams")
    if scale is None:
        return values
    ends = [float(scale[k]) for k in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")]
    physical, digital = ends[1] - ends[0], ends[3] - ends[2]
    if not (math.isfinite(physical) and physical > 0 and digital > 0):
        raise FormatError(f"no scale from digital to physical values: {scale}.", where=where)
    return values * (physical / digital)


def _columns(sensor: Mapping[str, Any]) -> list[str]:
    """Names of the channels: the entries that are lists."""
    return [key for key, value in sensor.items() if isinstance(value, list)]


def _sensors(file: SignalFile) -> dict[str, Mapping[str, Any]]:
    """Sensors by their path in the record; what has no rate (tags, pulse peaks) is left out."""
    try:
        import fastavro
    except ImportError as error:
        purpose = "Reading Avro files of an EmbracePlus"
        raise MissingExtraError.of("fastavro", "readers", purpose) from error
    schema, count, content = _unpacked(file.data, file.where)
    if count != 1:
        raise FormatError(f"{count} records, an EmbracePlus writes one.", where=file.where)
    with damage_as_format_error(file.where, "Avro file of an EmbracePlus"):
        stream = io.BytesIO(content)
        record = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)
        if stream.read(1):
            raise FormatError("the record ends before its block.", where=file.where)
        raw = record.get("rawData") if isinstance(record, dict) else None
        if not isinstance(raw, dict):
            raise FormatError("no record of an EmbracePlus: rawData is missing.", where=file.where)
        keys = {"timestampStart", "samplingFrequency"}
        found: dict[str, Mapping[str, Any]] = {
            f"rawData.{name}": entry
            for name, entry in raw.items()
            if isinstance(entry, dict) and keys <= set(entry) and _columns(entry)
        }
    return found


# ------------------------------------------------------------- the container


def _unpacked(data: bytes, where: str) -> tuple[Any, int, bytes]:
    """Schema, number of records and their bytes, all sizes checked.

    The library trusts the sizes and the schema in a file: an array of nothing can be declared to
    have 2⁶⁰ elements, and a kilobyte can inflate to a gigabyte.
    """
    if data[:4] != START:
        raise FormatError("no Avro file: it begins otherwise.", where=where)
    if len(data) > MAX_BYTES:
        raise FormatError(f"{len(data)} bytes; at most {MAX_BYTES} are read.", where=where)
    reader = _Cut(data, where)
    reader.take(4)
    about: dict[bytes, bytes] = {}
    while count := reader.number():
        if count < 0:
            reader.number()
        for _ in range(abs(count)):
            key = reader.take(reader.number())
            about[key] = reader.take(reader.number())
    mark = reader.take(16)
    codec = about.get(b"avro.codec", b"null")
    if codec not in (b"null", b"deflate"):
        raise FormatError(f"the compression {codec.decode('latin-1')!r} is not read.", where=where)
    schema = _schema(about.get(b"avro.schema", b""), where)
    records, parts, total = 0, [], 0
    while not reader.at_end:
        records += reader.number()
        block = reader.take(reader.number())
        if reader.take(16) != mark:
            raise FormatError("a block does not end with the file's mark.", where=where)
        parts.append(_inflated(block, MAX_BYTES - total, where) if codec == b"deflate" else block)
        total += len(parts[-1])
    return schema, records, b"".join(parts)


class _Cut:
    """Pieces of the file one after another."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where, self.at = data, where, 0

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.data)

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise FormatError(
                "the file is cut short or damaged.", where=f"{self.where}, byte {self.at}"
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        """A zigzag number of up to ten bytes."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise FormatError("a number without end.", where=f"{self.where}, byte {self.at}")


def _inflated(block: bytes, room: int, where: str) -> bytes:
    unpack = zlib.decompressobj(-15)
    try:
        content = unpack.decompress(block, room + 1)
    except zlib.error as error:
        raise FormatError(f"a block is damaged: {error}.", where=where) from error
    if len(content) > room or not unpack.eof:
        raise FormatError(f"unpacks to more than {MAX_BYTES} bytes, or is cut short.", where=where)
    return content


def _schema(text: bytes, where: str) -> Any:
    try:
        if len(text) > MAX_SCHEMA_BYTES:
            raise ValueError("too long")
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the schema in the file is no JSON: {error}.", where=where) from error
    try:
        depth = _depth(schema, {})
    except RecursionError:
        depth = math.inf
    if depth > MAX_DEPTH:
        raise FormatError(
            "the schema in the file has parts that an EmbracePlus does not write.", where=where
        )
    return schema


def _depth(schema: Any, known: dict[str, float]) -> float:
    """How deep values nest; infinite if an array may hold elements of no bytes, or a type itself.

    Parameters
    ----------
    schema : plain values
    known : dict of name to depth
        Records that are complete; what names another one is refused.
    """
    if isinstance(schema, str):
        return 1.0 if schema in SIMPLE else known.get(schema, math.inf) + 1
    if isinstance(schema, list):
        kinds = [_depth(kind, known) for kind in schema if kind != "null"]
        return max(kinds, default=math.inf) + 1
    if not isinstance(schema, dict):
        return math.inf
    kind = schema.get("type")
    if kind == "array":
        return _depth(schema.get("items"), known) + 1
    if kind == "record":
        fields = schema.get("fields")
        parts = fields if isinstance(fields, list) else []
        inner = [_depth(f.get("type") if isinstance(f, dict) else None, known) for f in parts]
        depth = max(inner, default=math.inf) + 1
        for name in (schema.get("name"), f"{schema.get('namespace')}.{schema.get('name')}"):
            known[str(name)] = depth
        return depth
    if kind in SIMPLE:
        return 1.0
    return _depth(kind, known) + 1 if isinstance(kind, dict | list) else math.inf
