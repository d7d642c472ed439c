"""Keep freed memory while a network runs, instead of asking the system for it at every step.

glibc gives back large blocks at once, and the next step pays for every page of them again: a third
of a step on a CPU. Elsewhere than under glibc nothing is done.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["memory_kept"]

# From malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX = -1, -2, -3, -4
KEPT = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1, TOP_PAD: 2**26}
# Where glibc's own adaptation ends up in a program with large arrays; it is off once it is set.
USUAL = {MMAP_MAX: 65536, MMAP_THRESHOLD: 2**25, TRIM_THRESHOLD: 2**26, TOP_PAD: 2**17}


@contextmanager
def memory_kept() -> Iterator[None]:
    """Within: what is freed stays with the process. Afterwards it goes back to the system."""
    libc = _glibc()
    if libc is None or _Now.kept:
        yield
        return
    _Now.kept = True
    try:
        for option, value in KEPT.items():
            libc.mallopt(option, value)
        yield
    finally:
        _Now.kept = False
        for option, value in USUAL.items():
            libc.mallopt(option, value)
        libc.malloc_trim(0)


class _Now:
    """Of the process: within another `memory_kept` nothing is set or given back."""

    kept = False


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
