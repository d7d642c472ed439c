"""Files of ``torch.save``, read into numpy without torch and without running what they say.

Such a file is a zip archive: a pickle that names tensors, and one member of plain bytes for each
storage they lie in. The pickle may name the rebuilder of plain tensors, the types of storages and
an ordered dict, and nothing else; the rebuilder here takes a type, an offset, a shape and strides,
and checks that they stay within the storage.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.archive import Folder, open_zip
from maestro_ts.signals.formats.safe_pickle import Call, check_opcodes

__all__ = ["MAX_BYTES", "load_tensors"]

MAX_BYTES = 256 * 2**20
CONTENT = "data.pkl"
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    # numpy has no such type: the upper half of a float32, read as one.
    "BFloat16Storage": "u2",
}
BYTE_ORDERS = {b"little": "<", b"big": ">"}


def load_tensors(data: bytes, where: str, max_bytes: int = MAX_BYTES) -> Any:
    """Read what ``torch.save`` wrote: tensors, numbers and text in lists, tuples and dicts.

    Parameters
    ----------
    data : bytes
        Content of the file.
    where : str
        Names the file in errors.
    max_bytes : int
        What the file, a storage, and all tensors together may have at most.

    Returns
    -------
    object
        Every tensor is a numpy array of its own; bfloat16 becomes float32, which is exact.

    Raises
    ------
    FormatError
        No such file, one that is cut short or corrupt, or one that names anything else: a module,
        a parameter, a tensor that is sparse, quantised or complex, a numpy array, a function.
    """
    if len(data) > max_bytes:
        raise FormatError(f"the file is larger than {max_bytes} bytes.", where=where)
    if not data.startswith(b"PK"):
        raise FormatError(
            "not a file of torch.save, which is a zip archive.",
            where=where,
            fix="PyTorch before 1.6 wrote another format: load and save it anew there.",
        )
    with open_zip(data, where, max_bytes) as archive:
        found = archive.matching(re.escape(CONTENT))
        if len(found) != 1:
            raise FormatError(
                f"not a file of torch.save: {len(found)} {CONTENT} in it.", where=where
            )
        (content,) = found
        tensors = _Tensors(archive, content.removesuffix(CONTENT), where, max_bytes)
        program = archive.read(content)
        check_opcodes(program, where)
        try:
            return _Unpickler(program, where, tensors).load()
        except FormatError:
            raise
        except Exception as error:
            # Corrupt bytes surface as almost any exception of the opcodes they happen to spell.
            what = str(error).rstrip(".") or type(error).__name__
            raise FormatError(f"corrupt pickle: {what}.", where=where) from error


class _Unpickler(pickle.Unpickler):
    """Admits the rebuilder of plain tensors, storages and the ordered dict."""

    def __init__(self, program: bytes, where: str, tensors: _Tensors) -> None:
        super().__init__(io.BytesIO(program))
        self._where, self._tensors = where, tensors
        # Made anew for every file, so that none can change them for the next.
        self._names: dict[tuple[str, str], Any] = {
            ("torch._utils", "_rebuild_tensor_v2"): Call(tensors.rebuild),
            ("collections", "OrderedDict"): Call(dict),
            **{("torch", name): _StorageType(name) for name in STORAGES},
        }

    def find_class(self, module: str, name: str) -> Any:
        found = self._names.get((module, name))
        if found is None:
            raise FormatError(
                f"the file asks to load '{module}.{name}'; only plain tensors are read.",
                where=self._where,
                fix="Save the tensors alone, as a dict of name to tensor.",
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        return self._tensors.storage(pid)


# Both are tuples because a pickle may set the attributes of what it was given, but not of these.
class _StorageType(NamedTuple):
    """The type of a storage; of no use but to name it."""

    name: str


class _Storage(NamedTuple):
    """One storage's numbers, in a row."""

    values: NDArray[Any]


class _Tensors:
    """Storages and tensors of one file."""

    def __init__(self, archive: Folder, folder: str, where: str, max_bytes: int) -> None:
        self._archive, self._folder, self._where = archive, folder, where
        self._bytes_left = max_bytes
        self._raw: dict[str, bytes] = {}
        order = b"little"  # files written before the order was stored
        if f"{folder}byteorder" in archive.names:
            order = archive.read(f"{folder}byteorder")
        if order not in BYTE_ORDERS:
            raise FormatError(f"unknown byte order {order[:20]!r}.", where=where)
        self._order = BYTE_ORDERS[order]

    def storage(self, pid: Any) -> _Storage:
        """Read the storage that a pickle refers to by (kind, type, key, device, length)."""
        kind, storage_type, key, _, length = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise FormatError(f"the pickle refers to {kind!r} outside the file.", where=self._where)
        member = f"{self._folder}data/{key}"
        if member not in self._archive.names:
            raise FormatError(f"the member {member!r} is missing.", where=self._where)
        if member not in self._raw:
            self._raw[member] = self._archive.read(member)
        raw = self._raw[member]
        dtype = np.dtype(self._order + STORAGES[storage_type.name])
        if len(raw) != length * dtype.itemsize:
            raise FormatError(
                f"{len(raw)} bytes, {length} values of {dtype.itemsize} bytes expected.",
                where=self._archive.locate(member),
            )
        values: NDArray[Any] = np.frombuffer(raw, dtype)
        if storage_type.name == "BFloat16Storage":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return _Storage(values)

    def rebuild(
        self,
        storage: Any,
        offset: Any,
        shape: Any,
        strides: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> NDArray[Any]:
        """Copy a tensor out of its storage; gradients and hooks are of no use here."""
        if metadata:
            raise FormatError("a tensor that is stored negated is not read.", where=self._where)
        if not isinstance(storage, _Storage):
            raise FormatError("corrupt pickle: a tensor without a storage.", where=self._where)
        values = storage.values
        sound = len(shape) == len(strides)
        sound &= all(type(n) is int and n >= 0 for n in (offset, *shape, *strides))
        size = math.prod(shape) if sound else 0
        if size:
            ends = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
            sound = offset + sum(ends) < len(values)
        if not sound:
            raise FormatError(
                f"corrupt pickle: a tensor of shape {shape!r} does not fit its storage of "
                f"{len(values)} values.",
                where=self._where,
            )
        # A stride of 0 repeats a value: few bytes in the file may ask for any number in memory.
        self._bytes_left -= size * values.itemsize
        if self._bytes_left < 0:
            raise FormatError("the tensors are larger than the file may be.", where=self._where)
        native: NDArray[Any] = np.empty(shape, values.dtype.newbyteorder("="))
        if size:
            steps = [step * values.itemsize for step in strides]
            native[...] = np.lib.stride_tricks.as_strided(values[offset:], shape, steps)
        return native
