"""Pickles of numpy arrays and plain values, read without running what the file says.

A pickle is a program: it may import and call anything. Here it may name four things of numpy and
one codec, and even those are not numpy's own: numpy's ``dtype.__setstate__`` believes the flags in
the file, so that a file can pass off its bytes as object pointers and crash the interpreter (or
worse). The rebuilders below take from the file a type code, a shape and bytes, and check that they
fit.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, FormatError

__all__ = ["MAX_BYTES", "Call", "check_opcodes", "load_npy_pickle", "load_pickle"]

MAX_BYTES = 256 * 2**20
OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
MEMO = ("PUT", "BINPUT", "LONG_BINPUT")
TWO_LINES = ("GLOBAL", "INST")
# Bytes of the length that stands before an argument, by pickletools' number for such a length.
PREFIXES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
NPY: Any = np.lib.format
NPY_HEADERS = {(1, 0): NPY.read_array_header_1_0, (2, 0): NPY.read_array_header_2_0}


def load_pickle(source: BinaryIO | bytes, where: str, max_bytes: int = MAX_BYTES) -> Any:
    """Read a pickle that holds numpy arrays, numbers, text, lists, tuples and dicts.

    Parameters
    ----------
    source : binary file or bytes
    where : str
        Names the file in errors.
    max_bytes : int
        Larger pickles are refused before they are read.

    Returns
    -------
    object

    Raises
    ------
    FormatError
        The pickle names anything else, is too large, cut short or corrupt.
    """
    data = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FormatError(f"the pickle is larger than {max_bytes} bytes.", where=where)
    check_opcodes(data, where)
    try:
        return _plain(_Unpickler(io.BytesIO(data), where).load(), {})
    except FormatError:
        raise
    except Exception as error:
        # Corrupt bytes surface as almost any exception of the opcodes they happen to spell.
        raise FormatError(f"corrupt pickle: {_text(error)}.", where=where) from error


def load_npy_pickle(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """Read a ``.npy`` file that holds one pickled object.

    Returns
    -------
    object
        What the file holds; the array of zero dimensions around it is taken off.

    Raises
    ------
    DataError
        No such file.
    FormatError
        Not a ``.npy`` file, one that holds plain numbers, or one that `load_pickle` refuses.
    """
    if not path.is_file():
        raise DataError("no such file.", where=str(path))
    with path.open("rb") as file:
        _skip_npy_header(file, str(path))
        found = load_pickle(file, str(path), max_bytes)
    if isinstance(found, np.ndarray) and found.dtype.hasobject and found.ndim == 0:
        return found.item()
    return found


def _skip_npy_header(file: BinaryIO, where: str) -> None:
    try:
        version = NPY.read_magic(file)
        if version not in NPY_HEADERS:
            raise FormatError(f"version {version} of the .npy format is not read.", where=where)
        _, _, dtype = NPY_HEADERS[version](file)
    except FormatError:
        raise
    except Exception as error:
        raise FormatError(f"not a .npy file: {_text(error)}.", where=where) from error
    if not dtype.hasobject:
        raise FormatError(f"holds plain {dtype} values, not a pickled object.", where=where)


def check_opcodes(data: bytes, where: str) -> None:
    """Walk the opcodes without taking their arguments out, which may be gigabytes.

    Refused are a length beyond the end, and a memo number that no pickler writes: eleven bytes can
    ask for gigabytes of table. `pickletools.genops` would copy every argument, and before Python
    3.12.8 it stops at the text in which Python 2 wrote an array (protocol 0).
    """
    at, count = 0, 0
    while at < len(data):
        found = OPCODES.get(data[at])
        if found is None:
            raise FormatError(
                f"corrupt pickle: no operation has the code {data[at]} (byte {at}).", where=where
            )
        begin, end = at + 1, _end_of_argument(data, at + 1, found)
        if not begin <= end <= len(data):
            break
        if found.name in MEMO:
            number = _memo_number(data[begin:end], text=found.name == "PUT")
            if not 0 <= number <= count:
                raise FormatError(
                    f"corrupt pickle: memo number {number} at operation {count}.", where=where
                )
        if found.name == "STOP":
            return
        at, count = end, count + 1
    raise FormatError(f"the pickle is cut short in byte {min(at, len(data))}.", where=where)


def _memo_number(argument: bytes, *, text: bool) -> int:
    if not text:
        return int.from_bytes(argument, "little")
    return int(argument) if re.fullmatch(rb"\d{1,18}\n", argument) else -1


def _end_of_argument(data: bytes, begin: int, opcode: pickletools.OpcodeInfo) -> int:
    """Where the argument of an operation ends; before `begin` if the file ends earlier."""
    if opcode.arg is None:
        return begin
    size = opcode.arg.n
    if size >= 0:
        return begin + size
    if size == pickletools.UP_TO_NEWLINE:
        end = begin
        for _ in range(2 if opcode.name in TWO_LINES else 1):
            end = data.find(b"\n", end) + 1
            if not end:
                return -1
        return end
    width = PREFIXES[size]
    if begin + width > len(data):
        return -1
    signed = size == pickletools.TAKEN_FROM_ARGUMENT4
    length = int.from_bytes(data[begin : begin + width], "little", signed=signed)
    return begin + width + length if length >= 0 else -1


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """Replace the arrays of this module by numpy's own; `done` keeps shared parts shared."""
    if not isinstance(value, (dict, list, tuple, _Array)):
        return value
    if id(value) not in done:
        done[id(value)] = _plain_copy(value, done)
    return done[id(value)]


def _plain_copy(value: Any, done: dict[int, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item, done) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item, done) for item in value)
    array = value.view(np.ndarray)
    if array.dtype.hasobject:
        for at in np.ndindex(array.shape):
            array[at] = _plain(array[at], done)
    return array


class _Unpickler(pickle.Unpickler):
    """Admits the names in `_admitted` and nothing else."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        super().__init__(file, encoding="latin1")
        self._where = where
        self._names = _admitted(where)

    def find_class(self, module: str, name: str) -> Any:
        # Files written before and after numpy 2 differ in the name of the same module.
        plain = re.sub(r"^numpy\.(_core|core)\b", "numpy.core", module)
        found = self._names.get((plain, name))
        if found is None:
            raise FormatError(
                f"the pickle asks to load '{module}.{name}'; only numpy arrays and plain values "
                "are read.",
                where=self._where,
                fix="Do not open this file with another tool unless you trust who made it.",
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        raise FormatError("the pickle refers to objects outside the file.", where=self._where)


class Call:
    """A function whose attributes the file cannot set."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        """Call the function."""
        return self._call(*args)


def _admitted(where: str) -> dict[tuple[str, str], Any]:
    """Names a file may use; made anew for every file, so that none can change them for the next."""
    return {
        ("numpy.core.multiarray", "_reconstruct"): Call(lambda *_: _Array.empty(where)),
        ("numpy.core.multiarray", "scalar"): Call(lambda dtype, raw: _scalar(dtype, raw, where)),
        ("numpy", "dtype"): Call(lambda code, *_: _Dtype(code, where)),
        # Only ever an argument of _reconstruct, which does not look at it.
        ("numpy", "ndarray"): "numpy.ndarray",
        ("_codecs", "encode"): Call(lambda text, codec="": _encode(text, codec, where)),
    }


class _Dtype:
    """A data type as the file spells it: a type code, then its byte order."""

    def __init__(self, code: Any, where: str) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[biufcSUO?]\d{0,6}", code):
            raise FormatError(f"arrays of type {code!r} are not read.", where=where)
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order in ("<", ">") and not self.dtype.hasobject:
            self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """An array that takes its content only after type, shape and size were seen to agree."""

    _where = ""

    @classmethod
    def empty(cls, where: str) -> _Array:
        made = np.ndarray.__new__(cls, (0,), "b")
        made._where = where
        return made

    def __setstate__(self, state: Any) -> None:
        _, shape, code, fortran, raw = state
        dtype = _plain_dtype(code, self._where)
        content, size = (raw, 1) if dtype.hasobject else (_raw(raw), dtype.itemsize)
        wanted = list if dtype.hasobject else bytes
        counts = isinstance(shape, tuple) and all(isinstance(n, int) and n >= 0 for n in shape)
        if not counts or not isinstance(content, wanted) or len(content) != math.prod(shape) * size:
            raise FormatError(
                f"corrupt pickle: the content of an array does not fit its shape {shape!r}.",
                where=self._where,
            )
        checked: Any = (1, shape, dtype, bool(fortran), content)
        super().__setstate__(checked)


def _scalar(code: Any, raw: Any, where: str) -> Any:
    dtype, content = _plain_dtype(code, where), _raw(raw)
    if dtype.hasobject or not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise FormatError("corrupt pickle: a number does not fit its type.", where=where)
    value: NDArray[Any] = np.ndarray((), dtype, buffer=content)
    return value[()]


def _plain_dtype(code: Any, where: str) -> np.dtype[Any]:
    if not isinstance(code, _Dtype):
        raise FormatError("corrupt pickle: an array without a type.", where=where)
    return code.dtype


def _raw(content: Any) -> Any:
    # Python 2 wrote an array's bytes as text.
    return content.encode("latin1") if isinstance(content, str) else content


def _encode(text: Any, codec: Any, where: str) -> bytes:
    """Make bytes as Python 3 writes them in old protocols; other codecs could do anything."""
    if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
        raise FormatError(f"the pickle asks for the codec {codec!r}.", where=where)
    return text.encode("latin1")


def _text(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
