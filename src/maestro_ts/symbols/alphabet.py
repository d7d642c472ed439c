"""The alphabet: equiprobable Gaussian breakpoints, symbols 1…A, and 0 for missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING", "breakpoints", "centres", "to_symbols"]

MISSING = 0


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
    symbols = (1 + np.searchsorted(cuts, z, side="left")).astype(np.uint8)
    return np.where(np.isnan(z), np.uint8(MISSING), symbols)
