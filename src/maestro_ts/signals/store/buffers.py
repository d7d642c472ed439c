"""`StoredValues` and `StoredTimes`: rows of one modality that are read from shards by position.

Positional reads need no memory map: nothing to pickle but paths, no page faults, no SIGBUS. Files
are opened in the process that reads them, when it first reads.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.store.manifest import StoredFile
from maestro_ts.signals.store.tables import StreamRow

__all__ = ["StoredTimes", "StoredValues"]

MOST_OPEN = 256
npy: Any = np.lib.format  # has no types


class _Descriptor:
    """An open ``.npy`` file: closed when nobody reads from it any more."""

    def __init__(self, path: Path, rows: int) -> None:
        try:
            with open(path, "rb") as file:
                version = npy.read_magic(file)
                shape, fortran, self.dtype = npy.read_array_header_1_0(file)
                self.begin = file.tell()
                self.number = os.dup(file.fileno())
        except FileNotFoundError as error:
            raise FormatError(
                "the file is missing.", where=str(path), fix="Copy the store again."
            ) from error
        except ValueError as error:
            raise FormatError(f"no .npy file: {error}.", where=str(path)) from error
        self.path = path
        self.row_bytes = self.dtype.itemsize * math.prod(shape[1:])
        if version != (1, 0) or fortran or shape[0] != rows:
            raise FormatError(f"holds {shape}, {rows} rows expected.", where=str(path))
        self.columns = shape[1:]

    def read(self, first: int, rows: int) -> NDArray[Any]:
        """Rows as they are stored; read-only."""
        begin, wanted = self.begin + first * self.row_bytes, rows * self.row_bytes
        data = _read_at(self.number, wanted, begin)
        if len(data) != wanted:
            raise FormatError(
                f"ends at byte {begin + len(data)}, rows up to byte {begin + wanted} expected.",
                where=str(self.path),
                fix="Copy the store again.",
            )
        return np.frombuffer(data, self.dtype).reshape(rows, *self.columns)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


def _read_at(number: int, count: int, begin: int) -> bytes:
    if hasattr(os, "pread"):
        data = os.pread(number, count, begin)
        while 0 < len(data) < count:  # the system reads at most 2 GB at once
            more = os.pread(number, count - len(data), begin + len(data))
            if not more:
                break
            data += more
        return data
    with open(number, "rb", closefd=False) as file:
        file.seek(begin)
        return file.read(count)


class _Files:
    """Files whose rows follow each other, opened on first use, in each process anew."""

    def __init__(self, folder: Path, files: Sequence[StoredFile]) -> None:
        self.folder, self.files = folder, tuple(files)
        self.firsts = [0]
        for file in files:
            self.firsts.append(self.firsts[-1] + file.rows)
        self.opened: OrderedDict[int, _Descriptor] = OrderedDict()

    def __len__(self) -> int:
        return self.firsts[-1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"opened": OrderedDict()}

    def read(self, first: int, end: int) -> list[NDArray[Any]]:
        """Rows from `first` to `end`, in as many arrays as files they lie in."""
        found = []
        while first < end:
            number = bisect_right(self.firsts, first) - 1
            stop = min(end, self.firsts[number + 1])
            found.append(self._open(number).read(first - self.firsts[number], stop - first))
            first = stop
        return found

    def _open(self, number: int) -> _Descriptor:
        opened = self.opened.get(number)
        if opened is None:
            file = self.files[number]
            opened = self.opened[number] = _Descriptor(self.folder / file.path, file.rows)
            while len(self.opened) > MOST_OPEN:
                # Closed with its last reference: another thread may be reading from it.
                self.opened.popitem(last=False)
        return opened


class _Spans(ABC):
    """What both buffers share: rows of one modality, stream after stream."""

    dtype: np.dtype[Any]

    def __init__(self, streams: Sequence[StreamRow], shape: tuple[int, ...]) -> None:
        self.streams = [s for s in streams if s.length]
        self.firsts = [s.first for s in self.streams]
        self.shape = shape
        self.ndim = len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            if step == 1:
                return self.read(np.array([first]), np.array([max(stop - first, 0)]))
        index = np.arange(len(self))[rows]
        found = self.read(np.atleast_1d(index), np.ones(index.size, dtype=np.int64))
        return found.reshape(index.shape + self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def read(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[Any]:
        """Rows ``starts[i] : starts[i] + lengths[i]`` of all i, one after another; a copy."""
        at = 0
        if len(starts) == 1:
            total = int(lengths[0])
            spans = iter([(int(starts[0]), int(starts[0]) + total)])
        else:
            total, spans = int(lengths.sum()), _joined(starts, lengths)
        out = np.empty((total, *self.shape[1:]), dtype=self.dtype)
        for first, end in spans:
            while first < end:
                number = bisect_right(self.firsts, first) - 1
                stream = self.streams[number]
                stop = min(end, stream.first + stream.length)
                self._fill(out[at : at + stop - first], number, first - stream.first)
                at += stop - first
                first = stop
        return out

    @abstractmethod
    def _fill(self, out: NDArray[Any], number: int, begin: int) -> None:
        """Write the rows of a stream from `begin` on into `out`."""


class StoredValues(_Spans):
    """Values (S, C) float32 of one modality in a store, relative to baselines if it has any."""

    dtype = np.dtype(np.float32)

    def __init__(
        self, folder: Path, files: Sequence[StoredFile], streams: Sequence[StreamRow], channels: int
    ) -> None:
        self.files = _Files(folder, files)
        super().__init__(streams, (len(self.files), channels))
        self.decoders = [None if s.lattice is None else s.lattice.decoder() for s in self.streams]

    def _fill(self, out: NDArray[Any], number: int, begin: int) -> None:
        first, decoder = self.streams[number].first + begin, self.decoders[number]
        at = 0
        for stored in self.files.read(first, first + len(out)):
            piece = out[at : at + len(stored)]
            if decoder is None:
                piece[...] = stored
            else:
                decoder.decode(stored, piece)
            at += len(stored)
        zscore = self.streams[number].zscore
        if zscore is not None:
            out[...] = zscore(out)


class StoredTimes(_Spans):
    """Times (S,) float64 in seconds; those of a regular stream are computed."""

    dtype = np.dtype(np.float64)

    def __init__(
        self, folder: Path, files: Sequence[StoredFile], streams: Sequence[StreamRow], rows: int
    ) -> None:
        self.files = _Files(folder, files)
        super().__init__(streams, (rows,))

    def _fill(self, out: NDArray[Any], number: int, begin: int) -> None:
        stream = self.streams[number]
        if stream.times_first is None:
            out[...] = np.arange(begin, begin + len(out)) / (stream.rate_hz or 1.0)
            out += stream.start_s
            return
        first, at = stream.times_first + begin, 0
        for stored in self.files.read(first, first + len(out)):
            out[at : at + len(stored)] = stored
            at += len(stored)


def _joined(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Spans as (first, end), those that follow each other in one."""
    there = np.flatnonzero(lengths)
    if not len(there):
        return
    first, end = starts[there], starts[there] + lengths[there]
    begins = np.concatenate([[True], first[1:] != end[:-1]])
    ends = np.append(begins[1:], True)
    yield from zip(first[begins].tolist(), end[ends].tolist(), strict=True)
