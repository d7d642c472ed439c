"""Arrays in JSON: little-endian bytes, deflated, in base64, with type and shape beside them."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["packed", "packed_shares", "shares", "unpacked"]

STEPS = 65535  # a share of 1: the finest that two bytes tell apart, .000015


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """An array of integers as plain values."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    text = base64.b64encode(zlib.compress(little.tobytes(), 9)).decode("ascii")
    return {"dtype": little.dtype.str, "shape": list(values.shape), "deflated": text}


def unpacked(tree: dict[str, Any]) -> NDArray[Any]:
    """The array that `packed` wrote."""
    data = zlib.decompress(base64.b64decode(tree["deflated"]))
    return np.frombuffer(data, dtype=tree["dtype"]).reshape(tree["shape"])


def packed_shares(values: NDArray[np.float64]) -> dict[str, Any]:
    """Numbers in [0, 1], rounded to steps of 1/65,535."""
    return packed(np.rint(values * STEPS).astype(np.uint16))


def shares(tree: dict[str, Any]) -> NDArray[np.float64]:
    """The numbers that `packed_shares` wrote."""
    return np.asarray(unpacked(tree) / float(STEPS))
