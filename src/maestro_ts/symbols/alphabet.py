"""The alphabet: equiprobable Gaussian breakpoints, symbols 1…A, and 0 for missing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING", "breakpoints", "centres", "to_symbols"]

MISSING = 0
SEARCH = 255  # no alphabet has that many
REACH = 4.0  # values beyond are in the outermost cells
CELLS = 2**15


def breakpoints(alphabet: int) -> NDArray[np.float64]:
    """``β_a = Φ⁻¹(a / A)`` for a = 1 … A−1, shape (A−1,) (Lin et al. 2007; MAESTRO section 3.1)."""
    from scipy.special import ndtri

    cuts = ndtri(np.arange(1, alphabet) / alphabet)
    # Exact symmetry: the quantile function is odd, its rounding is not.
    return np.asarray((cuts - cuts[::-1]) / 2.0)


def centres(alphabet: int) -> NDArray[np.float64]:
    """Gaussian centre of every symbol, ``c_s = Φ⁻¹((s − ½) / A)``; 0 for the missing symbol.

    Shape (A + 1,), indexed by symbol.
    """
    from scipy.special import ndtri

    middle = ndtri((np.arange(1, alphabet + 1) - 0.5) / alphabet)
    return np.concatenate([[0.0], (middle - middle[::-1]) / 2.0])


def to_symbols(z: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.uint8]:
    """``1 + #{a : β_a < z}``; a value on a breakpoint takes the lower symbol, NaN is missing."""
    z = np.asarray(z, dtype=np.float64)
    # In a cell without a breakpoint all values have one symbol; the others are searched.
    found = _symbols_of_cells(cuts.tobytes()).take(_cells(z), mode="clip")
    open_ = np.flatnonzero(found == SEARCH)
    if len(open_):
        values = z.ravel()[open_]
        symbols = 1 + np.searchsorted(cuts, values, side="left")
        found.ravel()[open_] = np.where(np.isnan(values), MISSING, symbols)
    return found


def _cells(z: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of the cell on a fine grid; never falls as z rises, an outermost or none for NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        place = z * (CELLS / (2 * REACH))
        place += CELLS / 2
        np.clip(place, 0.0, CELLS - 1.0, out=place)
        # By way of int32, for which processors have the conversion.
        return place.astype(np.int32).astype(np.intp)


@lru_cache(maxsize=8)
def _symbols_of_cells(cuts: bytes) -> NDArray[np.uint8]:
    """The symbol of every cell, `SEARCH` where a breakpoint lies in it (and where NaN may fall)."""
    cells = _cells(np.frombuffer(cuts, dtype=np.float64))
    below = np.cumsum(np.bincount(cells, minlength=CELLS))
    symbols = (1 + below).astype(np.uint8)
    symbols[cells] = SEARCH
    symbols[[0, -1]] = SEARCH
    return symbols
