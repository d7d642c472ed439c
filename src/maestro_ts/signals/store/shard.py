"""Pieces → a shard: one ``.npy`` per modality, cut where a file would become too large, and tables.

Files are written beside their names, forced to the disk and renamed; a shard counts only once the
manifest names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.atomic import atomic_path
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.store.manifest import Shard, StoredFile, folder_of, new_hash
from maestro_ts.signals.store.piece import Piece
from maestro_ts.signals.store.tables import shard_tables, write_table

__all__ = ["SHARD_BYTES", "largest_bytes", "write_shard"]

SHARD_BYTES = 256_000_000
npy: Any = np.lib.format  # has no types


def write_shard(
    folder: Path,
    name: str,
    pieces: Sequence[Piece],
    schema: Schema,
    parts: tuple[int, int],
    refused: Sequence[tuple[str, str]],
    shard_bytes: int,
) -> Shard:
    """Write pieces, in order, as one shard; one stream is in memory at a time."""
    signals, times, codes = {}, {}, {}
    for m in schema:
        there = [p for p in pieces if m.name in p.streams]
        # Codes only where all of the shard's recordings have them: a file has one type.
        codes[m.name] = all(p.streams[m.name].lattice is not None for p in there)
        rows = sum(p.streams[m.name].rows for p in there)
        timed = [p for p in there if p.streams[m.name].times_at is not None]
        signals[m.name] = _write_rows(
            folder,
            f"signals/{folder_of(m.name)}/{name}",
            _values(there, m.name, codes[m.name]),
            np.dtype("<i2" if codes[m.name] else "<f4"),
            (rows, m.channels),
            shard_bytes,
        )
        times[m.name] = _write_rows(
            folder,
            f"times/{folder_of(m.name)}/{name}",
            (p.times(m.name) for p in timed),
            np.dtype("<f8"),
            (sum(p.streams[m.name].rows for p in timed),),
            shard_bytes,
        )
    tables = {
        kind: write_table(folder, f"{kind}/{name}.parquet", table)
        for kind, table in shard_tables(pieces, codes).items()
    }
    return Shard(
        name,
        parts,
        {m: files for m, files in signals.items() if files},
        {m: files for m, files in times.items() if files},
        tables,
        tuple(refused),
    )


def largest_bytes(pieces: Sequence[Piece]) -> int:
    """Size of the largest file that these pieces would make, as they are encoded."""
    sizes: dict[str, int] = {}
    for piece in pieces:
        for name, stream in piece.streams.items():
            row = stream.channels * (4 if stream.lattice is None else 2)
            row = max(row, 8 if stream.times_at is not None else 0)
            sizes[name] = sizes.get(name, 0) + stream.rows * row
    return max(sizes.values(), default=0)


def _values(pieces: Sequence[Piece], name: str, codes: bool) -> Iterator[NDArray[Any]]:
    for piece in pieces:
        stored, lattice = piece.values(name), piece.streams[name].lattice
        if lattice is not None and not codes:
            values = np.empty(stored.shape, dtype=np.float32)
            lattice.decoder().decode(stored, values)
            stored = values
        yield stored


def _write_rows(
    folder: Path,
    base: str,
    arrays: Iterator[NDArray[Any]],
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    shard_bytes: int,
) -> tuple[StoredFile, ...]:
    """Arrays one after another as one ``.npy`` file, or as several where they are too long."""
    total = shape[0]
    per_file = max(shard_bytes // (dtype.itemsize * int(np.prod(shape[1:]))), 1)
    rest: NDArray[Any] = np.zeros((0, *shape[1:]), dtype)
    files = []
    for number, first in enumerate(range(0, total, per_file)):
        path = f"{base}.npy" if number == 0 else f"{base}-{number}.npy"
        rows = min(per_file, total - first)
        digest = new_hash()
        with atomic_path(folder / path) as partial, open(partial, "wb") as file:
            npy.write_array_header_1_0(
                file,
                {
                    "descr": npy.dtype_to_descr(dtype),
                    "fortran_order": False,
                    "shape": (rows, *shape[1:]),
                },
            )
            file.flush()
            digest.update(partial.read_bytes())
            left = rows
            while left:
                if not len(rest):
                    rest = next(arrays)
                block = np.ascontiguousarray(rest[:left], dtype=dtype)
                file.write(block.data)
                digest.update(block.data)
                rest, left = rest[left:], left - len(block)
            size = file.tell()
        files.append(StoredFile(path, size, digest.hexdigest(), rows))
    return tuple(files)
