"""Long tables as bodies: Arrow, Parquet or CSV, one sample of one modality a row.

Columns: ``modality``, ``time_s``, channels ``c1`` to ``cC`` (empty beyond those of the row's
modality), and, of several recordings, ``recording`` and ``subject``. What a body declares is
looked at before it is unpacked: a small one can declare gigabytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maestro_ts.deploy.service.messages import MAX_RECORDINGS
from maestro_ts.deploy.service.streams import known, stream_of
from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording, Stream

__all__ = ["MAX_ROWS", "from_arrow", "from_csv", "from_parquet"]

MAX_ROWS = 4_000_000
MAX_BYTES = 2**29  # of a Parquet body when it is unpacked, as it declares
CHANNEL = re.compile(r"c([1-9]\d{0,3})")
TEXTS = ("modality", "recording", "subject")
ARROW_FILE = b"ARROW1\0\0"


def from_csv(body: bytes, schema: Schema) -> list[Recording]:
    """Recordings of a CSV table with a header.

    Raises
    ------
    FormatError
        No such table.
    DataError
        One whose content does not fit the run.
    """
    header = body.split(b"\n", 1)[0].decode("utf-8", "replace").strip().lstrip("\ufeff")
    names = [name.strip().strip('"') for name in header.split(",")]
    kinds = {name: pa.string() if name in TEXTS else pa.float64() for name in names}
    with _damage("CSV"):
        table = pyarrow.csv.read_csv(
            pa.BufferReader(body),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(column_types=kinds),
        )
    return _recordings(table, schema)


def from_parquet(body: bytes, schema: Schema) -> list[Recording]:
    """Recordings of a Parquet table; errors as of `from_csv`."""
    with _damage("Parquet"):
        file = pq.ParquetFile(pa.BufferReader(body))
        about = file.metadata
        _check_rows(about.num_rows)
        groups = [about.row_group(g) for g in range(about.num_row_groups)]
        if sum(g.total_byte_size for g in groups) > MAX_BYTES:
            raise DataError(
                f"unpacked it has more than {MAX_BYTES >> 20} MiB.",
                where="body",
                fix="Send it in parts.",
            )
        _check_columns(file.schema_arrow)
        table = file.read(use_threads=False)
    return _recordings(table, schema)


def from_arrow(body: bytes, schema: Schema) -> list[Recording]:
    """Recordings of an Arrow table, as a stream or a file, not compressed; errors as before."""
    with _damage("Arrow"):
        if body.startswith(ARROW_FILE):
            body = body[len(ARROW_FILE) :]  # the same stream follows the magic number
        _refuse_compressed(body)
        with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
            _check_columns(reader.schema)
            batches, rows = [], 0
            for batch in reader:
                rows += batch.num_rows
                _check_rows(rows)
                batch.validate(full=True)  # Arrow trusts lengths and offsets unless asked
                batches.append(batch)
            table = pa.Table.from_batches(batches, reader.schema)
    return _recordings(table, schema)


@contextmanager
def _damage(kind: str) -> Iterator[None]:
    """Whatever Arrow says of a body becomes one error."""
    try:
        yield
    except DataError:  # ours
        raise
    except (pa.ArrowException, OSError, ValueError, struct.error, MemoryError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise FormatError(f"no {kind} table, or a damaged one: {said}.", where="body") from error


def _refuse_compressed(body: bytes) -> None:
    """Compression is the one way in which an Arrow body can be larger than it is."""
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(body)):
        if message.type != "schema" and _has_compression(message):
            raise FormatError(
                "the Arrow body is compressed.",
                where="body",
                fix="Write it without compression, or send Parquet.",
            )


def _has_compression(message: pa.Message) -> bool:
    """Whether a record batch names a codec (flatbuffers: Message.header[.data].compression)."""
    data = message.metadata.to_pybytes()

    def field(table: int, number: int) -> int | None:
        """Where a field of a table lies."""
        vtable = table - struct.unpack_from("<i", data, table)[0]
        size = struct.unpack_from("<H", data, vtable)[0]
        if 4 + 2 * number >= size:
            return None
        offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
        return table + offset if offset else None

    def follow(place: int) -> int:
        return place + int(struct.unpack_from("<I", data, place)[0])

    batch = field(follow(0), 2)
    if batch is not None and message.type == "dictionary":
        batch = field(follow(batch), 1)
    return batch is not None and field(follow(batch), 3) is not None


def _check_rows(rows: int) -> None:
    if rows > MAX_ROWS:
        raise DataError(
            f"more than {MAX_ROWS:,} rows.", where="body", fix="Send the table in parts."
        )


def _check_columns(schema: pa.Schema) -> None:
    """Refuse columns that lack, that nobody knows, or of another kind, before they are read."""
    names = list(schema.names)
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"column {twice[0]!r} is there twice.", where="body")
    for needed in ("modality", "time_s", "c1"):
        if needed not in names:
            raise DataError(
                f"no column {needed!r}.",
                where="body",
                fix="A table has the columns modality, time_s, c1, c2, … and, of several "
                "recordings, recording and subject.",
            )
    for field in schema:
        text = field.name in TEXTS
        if not (text or field.name == "time_s" or CHANNEL.fullmatch(field.name)):
            raise DataError(f"unknown column {field.name!r}.", where="body", fix="Leave it out.")
        if not (_is_text(field.type) if text else _is_number(field.type)):
            raise DataError(
                f"holds {field.type}, {'text' if text else 'numbers'} expected.",
                where=f"body, column {field.name!r}",
            )


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _recordings(table: pa.Table, schema: Schema) -> list[Recording]:
    _check_columns(table.schema)
    _check_rows(table.num_rows)
    if not table.num_rows:
        raise DataError("the table has no rows.", where="body")
    columns = {name: _numbers(table.column(name)) for name in table.schema.names if _numeric(name)}
    names, codes = _coded(table, "recording")
    if len(names) > MAX_RECORDINGS:
        raise DataError(
            f"{len(names)} recordings, {MAX_RECORDINGS} are answered at once.",
            where="body",
            fix="Send the table in parts.",
        )
    found = []
    for number, name in enumerate(names):
        rows = np.flatnonzero(codes == number)
        whole = table if len(names) == 1 else table.take(pa.array(rows))
        where = f"recording {name!r}" if name else "body"
        streams = dict(_streams(whole, {k: v[rows] for k, v in columns.items()}, schema, where))
        subjects, _ = _coded(whole, "subject")
        if len(subjects) > 1:
            raise DataError(f"has {len(subjects)} subjects.", where=where)
        found.append(Recording(streams, subject=subjects[0], source=name))
    return found


def _numeric(name: str) -> bool:
    return name not in TEXTS


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    # By numpy where Arrow cannot (float16); integers with nulls only Arrow can.
    if pa.types.is_float16(column.type):
        return np.asarray(column.to_numpy(), np.float64)
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _coded(table: pa.Table, name: str) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct texts of a column in the order in which they appear, and each row's number."""
    if name not in table.schema.names:
        return [""], np.zeros(table.num_rows, np.int64)
    column = pc.fill_null(table.column(name).cast(pa.string()), "")
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return coded.dictionary.to_pylist(), np.asarray(coded.indices.to_numpy(), np.int64)


def _streams(
    table: pa.Table, columns: dict[str, NDArray[np.float64]], schema: Schema, where: str
) -> Iterator[tuple[str, Stream]]:
    names, codes = _coded(table, "modality")
    for number, name in enumerate(names):
        modality, at = known(schema, name, where), f"{where}, modality {name!r}"
        rows = codes == number
        channels = [f"c{c + 1}" for c in range(modality.channels)]
        for channel in channels:
            if channel not in columns:
                raise DataError(
                    f"no column {channel!r} for its {len(channels)} channels.", where=at
                )
        for extra in columns.keys() - {*channels, "time_s"}:
            if not np.isnan(columns[extra][rows]).all():
                raise DataError(f"has values in {extra!r}, and {len(channels)} channels.", where=at)
        values = np.stack([columns[c][rows] for c in channels], axis=1)
        times = None if modality.static else columns["time_s"][rows]
        yield name, stream_of(modality, values, at, times=times)
