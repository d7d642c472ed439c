"""Pickles as Python 2 wrote them: protocol 0 (its default) or 2, an array's bytes as text."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


def python2_pickle(content: Any, protocol: int = 0) -> bytes:
    """What cPickle of Python 2 makes of dicts, text, numbers and arrays."""
    head = b"\x80\x02" if protocol == 2 else b""
    return head + _write(content, protocol) + b"."


def _write(value: Any, protocol: int) -> bytes:
    if isinstance(value, dict):
        items = b"".join(
            _write(key, protocol) + _write(item, protocol) + b"s" for key, item in value.items()
        )
        return (b"}" if protocol else b"(d") + items
    if isinstance(value, str):
        return _text(value.encode("latin1"), protocol)
    if isinstance(value, np.ndarray):
        return _array(value, protocol)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value) if protocol else f"F{value!r}\n".encode()
    return b"J" + struct.pack("<i", value) if protocol else f"I{value}\n".encode()


def _text(raw: bytes, protocol: int) -> bytes:
    if not protocol:
        return b"S" + repr(raw)[1:].encode() + b"\n"
    if len(raw) < 256:
        return b"U" + bytes([len(raw)]) + raw
    return b"T" + struct.pack("<i", len(raw)) + raw


def _array(array: np.ndarray, protocol: int) -> bytes:
    code = array.dtype.str[1:].encode()
    numbers = [_write(int(n), protocol) for n in array.shape]
    zero, one, three = (_write(n, protocol) for n in (0, 1, 3))
    minus = _write(-1, protocol)
    false = b"\x89" if protocol else b"I00\n"
    dtype = b"cnumpy\ndtype\n(" + _text(code, protocol) + zero + one + b"tR"
    state = b"(" + three + _text(b"<", protocol) + b"NNN" + minus + minus + zero + b"tb"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n("
        + zero
        + b"t"
        + _text(b"b", protocol)
        + b"tR("
        + one
        + b"("
        + b"".join(numbers)
        + b"t"
        + dtype
        + state
        + false
        + _text(np.ascontiguousarray(array).tobytes(), protocol)
        + b"tb"
    )
