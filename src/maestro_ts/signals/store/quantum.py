"""16 bits a sample where that loses nothing: values that are whole multiples of a quantum.

Converters give whole numbers, and a stream of them in physical units still lies on a lattice. A
quantum is taken only when every value comes back with all its bits. There is no 32-bit form: it
would take the room of float32 and read slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING_CODE", "Lattice", "encode"]

MISSING_CODE = -(2**15)
LARGEST_CODE = 2**15 - 1
LARGEST_MULTIPLE = 2**23  # exact in float32
TRIED = 4096  # values on which a quantum is tried before it is tried on all
LOOKED_AT = 2**16  # successive values whose differences suggest a quantum


@dataclass(frozen=True)
class Lattice:
    """How codes become values: ``float32((code + zero) * quantum)``, the product in float64.

    Attributes
    ----------
    quanta : tuple of float
        One per channel.
    zeros : tuple of int
        One per channel: the multiple that code 0 stands for.
    """

    quanta: tuple[float, ...]
    zeros: tuple[int, ...]

    def decoder(self) -> Decoder:
        """The same, ready to multiply with."""
        quanta = np.array(self.quanta[:1] if len(set(self.quanta)) == 1 else self.quanta)
        narrow = quanta.astype(np.float32)
        # The product of a code and a float32 is exact in float64, so it is rounded once either way;
        # float32 is faster.
        exact = (narrow == quanta).all()
        zeros = np.array(self.zeros, dtype=np.float32) if any(self.zeros) else None
        return Decoder(narrow if exact else quanta, zeros)


@dataclass(frozen=True)
class Decoder:
    """Codes → values."""

    quanta: NDArray[np.float32] | NDArray[np.float64]
    zeros: NDArray[np.float32] | None

    def decode(self, codes: NDArray[np.int16], out: NDArray[np.float32]) -> None:
        """Codes (T, C) → values, written into `out`; the code −32768 is NaN."""
        if self.zeros is None:
            np.multiply(codes, self.quanta, out=out, casting="same_kind")
        else:
            np.add(codes, self.zeros, out=out)
            np.multiply(out, self.quanta, out=out, casting="same_kind")
        if len(codes) and codes.min() == MISSING_CODE:
            out[codes == MISSING_CODE] = np.nan


def encode(values: NDArray[np.float32]) -> tuple[NDArray[np.int16], Lattice] | None:
    """Codes (T, C) and their lattice, or None where some value would change."""
    codes = np.empty(values.shape, dtype=np.int16)
    quanta, zeros = [1.0] * values.shape[1], [0] * values.shape[1]
    known: tuple[float, ...] = ()
    # One quantum for all channels, where there is one, decodes faster: what fits the largest does.
    peaks = np.fmax.reduce(np.abs(values), axis=0, initial=0.0)
    for c in np.argsort(-peaks, kind="stable"):
        found = _encode_channel(values[:, c], known)
        if found is None:
            return None
        codes[:, c], quanta[c], zeros[c] = found
        known = (quanta[c],)
    return codes, Lattice(tuple(quanta), tuple(zeros))


def _encode_channel(
    channel: NDArray[np.float32], known: tuple[float, ...]
) -> tuple[NDArray[np.int16], float, int] | None:
    """Codes, quantum and the multiple of code 0 of one channel."""
    missing = np.isnan(channel)
    valid = channel[~missing].astype(np.float64)
    codes = np.full(len(channel), MISSING_CODE, dtype=np.int16)
    if not len(valid):
        return codes, known[0] if known else 1.0, 0
    if np.signbit(valid[valid == 0]).any():  # −0.0 is no multiple
        return None
    tried = valid[:: max(len(valid) // TRIED, 1)]
    low, high = float(valid.min()), float(valid.max())
    for quantum in (*known, *_candidates(valid, low, high)):
        if _multiples(tried, quantum) is None:
            continue
        multiples = _multiples(valid, quantum)
        if multiples is None:
            continue
        first, last = int(multiples.min()), int(multiples.max())
        fits = first >= -LARGEST_CODE and last <= LARGEST_CODE
        zero = 0 if fits else (first + last) // 2
        if last - zero <= LARGEST_CODE and first - zero >= -LARGEST_CODE:
            codes[~missing] = multiples - zero
            return codes, quantum, zero
    return None


def _multiples(valid: NDArray[np.float64], quantum: float) -> NDArray[np.float64] | None:
    multiples = np.rint(valid / quantum)
    if np.abs(multiples).max() > LARGEST_MULTIPLE:
        return None
    exact = (multiples * quantum).astype(np.float32) == valid
    return multiples if exact.all() else None


def _candidates(valid: NDArray[np.float64], low: float, high: float) -> list[float]:
    """The finest power of two and of ten that fit into 16 bits, and what differences suggest."""
    peak = max(-low, high)
    if peak < np.finfo(np.float32).tiny:  # all zero, or of no sensor
        return [1.0]
    found = []
    shifted = max((high - low) / 2 / LARGEST_CODE, peak / LARGEST_MULTIPLE)
    # First those that need no zero: they decode faster.
    for least in (peak / LARGEST_CODE, shifted):
        found.append(2.0 ** float(np.ceil(np.log2(least))))
        # Read as text: 10.0 ** -3 and 1e-3 may differ in their last bit.
        found.append(float(f"1e{int(np.ceil(np.log10(least)))}"))
    return [*found, *_suggested(valid)]


def _suggested(valid: NDArray[np.float64]) -> list[float]:
    """The simplest fraction near the step by which neighbouring values differ."""
    levels = np.unique(valid[:LOOKED_AT])
    if len(levels) < 3:
        return []
    offsets = levels - levels[0]
    quantum = float(np.diff(levels).min())
    # A single step between float32 values is coarse; longer and longer reaches make it precise.
    for reach in (8.0, 64.0, 512.0, 4096.0, 65536.0):
        near = offsets[offsets <= reach * quantum]
        count = np.rint(near / quantum)
        if count[-1] > 0:
            quantum = float(near @ count / (count @ count))
    for digits in range(1, 8):
        simple = Fraction(quantum).limit_denominator(10**digits)
        if simple and abs(float(simple) / quantum - 1.0) < 1e-7:
            return [float(simple)]
    return []
