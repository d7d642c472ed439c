"""MATLAB 5 files (.mat): plain numeric arrays, nothing else.

A reader of its own rather than ``scipy.io.loadmat``, which crashes the interpreter on a type code
that no MATLAB writes. Every size that the file states is checked against the bytes that are there
before anything is made of them.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError

__all__ = ["MAX_BYTES", "read_mat_array"]

MAX_BYTES = 64 * 2**20
HEADER_BYTES = 128
ORDERS = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
HDF5 = b"\x00\x02IM"  # version 7.3: another format under the same name
MATRIX, COMPRESSED, INT8, INT32, UINT32 = 14, 15, 1, 5, 6
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8"} | {
    13: "u8"
}
NUMERIC_CLASSES = range(6, 16)
OTHER_CLASSES = {1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix"}
OTHER_CLASSES |= {16: "a function", 17: "an object", 18: "an object"}
COMPLEX, LOGICAL = 0x0800, 0x0200


def read_mat_array(
    data: bytes, where: str, name: str, *, max_bytes: int = MAX_BYTES
) -> NDArray[np.float64]:
    """Read one real numeric array of a file that holds nothing but such arrays.

    Parameters
    ----------
    data : bytes
        Content of the file.
    where : str
        Names the file in errors.
    name : str
        The variable.
    max_bytes : int
        A file that unpacks to more is refused.

    Returns
    -------
    ndarray, float64
        In the shape that the file states, at least two dimensions.

    Raises
    ------
    FormatError
        Not a MATLAB 5 file, cut short, corrupt, too large, without the variable, or with anything
        that is no plain array of numbers: objects, functions, text, complex numbers.
    """
    order = ORDERS.get(data[HEADER_BYTES - 4 : HEADER_BYTES])
    if order is None:
        kind = "a MATLAB 7.3 file (HDF5), not" if data[124:128] == HDF5 else "not"
        raise FormatError(
            f"{kind} a MATLAB 5 file.", where=where, fix="Save it with save(..., '-v7')."
        )
    found: dict[str, NDArray[np.float64]] = {}
    for at, matrix in _matrices(data, where, order, max_bytes):
        variable, array = _array(_Bytes(matrix, f"{where}, variable at byte {at}", order))
        found[variable] = array
    if name not in found:
        held = ", ".join(map(repr, found)) or "nothing"
        raise FormatError(f"there is no variable {name!r}; it holds {held}.", where=where)
    return found[name]


def _matrices(
    data: bytes, where: str, order: str, max_bytes: int
) -> Iterator[tuple[int, memoryview]]:
    """Yield place and content of every variable, unpacked."""
    file, left = _Bytes(memoryview(data)[HEADER_BYTES:], where, order), max_bytes
    while file.left:
        at = HEADER_BYTES + file.at
        here = f"{where}, variable at byte {at}"
        kind, content = file.element(padded=False)
        if kind == COMPRESSED:
            unpacked = _unpack(content, here, left)
            kind, content = _Bytes(memoryview(unpacked), here, order).element()
        left -= len(content)
        if left < 0:
            raise _too_large(here, max_bytes)
        if kind != MATRIX:
            raise FormatError(
                f"an element of type {kind} where a variable is expected.", where=here
            )
        yield at, content


def _unpack(content: memoryview, where: str, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(content, most + 9)  # the element's tag is 8 bytes
    except zlib.error as error:
        raise FormatError(f"the variable is damaged: {error}.", where=where) from error
    if len(unpacked) > most + 8:
        raise _too_large(where, most)
    if not unpacker.eof:
        raise FormatError("the variable is cut short.", where=where)
    return unpacked


def _too_large(where: str, most: int) -> FormatError:
    return FormatError(f"the variable unpacks to more than {most} bytes.", where=where)


@dataclass
class _Bytes:
    """Elements one after another: a tag of type and size, then as many bytes, padded to 8."""

    content: memoryview
    where: str
    order: str
    at: int = 0

    @property
    def left(self) -> int:
        return len(self.content) - self.at

    def element(self, *, padded: bool = True) -> tuple[int, memoryview]:
        """Type and content of the next element; a small one lies within its own tag."""
        if self.left < 8:
            raise self.cut_short()
        (first, size) = struct.unpack_from(f"{self.order}II", self.content, self.at)
        begin, kind, step = self.at + 8, first, 8 + size
        if first >> 16:
            kind, size, begin, step = first & 0xFFFF, first >> 16, self.at + 4, 8
            if size > 4:
                raise FormatError(f"corrupt: a small element of {size} bytes.", where=self.where)
        elif padded:
            step += -size % 8
        if begin + size > len(self.content):
            raise self.cut_short()
        self.at = min(self.at + step, len(self.content))
        return kind, self.content[begin : begin + size]

    def cut_short(self) -> FormatError:
        return FormatError("the file is cut short.", where=self.where)

    def numbers(self, kinds: dict[int, str], what: str) -> NDArray[Any]:
        kind, content = self.element()
        if kind not in kinds:
            raise FormatError(f"corrupt: {what} of type {kind}.", where=self.where)
        dtype = np.dtype(self.order + kinds[kind])
        if len(content) % dtype.itemsize:
            raise FormatError(f"corrupt: {what} of {len(content)} bytes.", where=self.where)
        return np.frombuffer(content, dtype)


def _array(matrix: _Bytes) -> tuple[str, NDArray[np.float64]]:
    """Name and values of one variable."""
    flags = matrix.numbers({UINT32: "u4"}, "flags")
    if len(flags) != 2:
        raise FormatError("corrupt: no flags.", where=matrix.where)
    kind = int(flags[0]) & 0xFF
    if kind not in NUMERIC_CLASSES or int(flags[0]) & (COMPLEX | LOGICAL):
        what = OTHER_CLASSES.get(kind, f"an array of class {kind}")
        if kind in NUMERIC_CLASSES:
            what = "complex numbers" if int(flags[0]) & COMPLEX else "truth values"
        raise FormatError(
            f"holds {what}; only plain arrays of real numbers are read.", where=matrix.where
        )
    shape = tuple(int(n) for n in matrix.numbers({INT32: "i4"}, "a shape"))
    name = bytes(matrix.numbers({INT8: "u1"}, "a name")).decode("latin1")
    values = matrix.numbers(NUMBERS, "values")
    if len(shape) < 2 or min(shape) < 0 or math.prod(shape) != len(values):
        raise FormatError(
            f"corrupt: {len(values)} values for the shape {shape}.", where=matrix.where
        )
    return name, values.astype(np.float64).reshape(shape, order="F")
