"""Overlapping windows → one timeline of class probabilities per recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError

__all__ = ["HAIR_S", "Timeline", "WindowPredictions", "merge_windows"]

HAIR_S = 1e-6  # borders nearer than this are one border
CHUNK_CELLS = 2**20  # pairs of a window and a cell that are added up together


@dataclass(frozen=True)
class WindowPredictions:
    """What a model says of n windows, and where they lie.

    Attributes
    ----------
    sources, subjects : ndarray, shape (n,), str
        The recording, and whose it is.
    start_s, duration_s : ndarray, shape (n,)
        Seconds in the recording.
    probabilities : ndarray, shape (n, K)
    known : ndarray, shape (n,), bool
        False where no sensor was present: the answer is the learned prior, which tells nothing.
    classes : tuple of str, length K

    Raises
    ------
    DataError
        Another shape, a window without recording or length, or a probability that is none.
    """

    sources: NDArray[np.str_]
    subjects: NDArray[np.str_]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.sources)
        for name in ("subjects", "start_s", "duration_s", "known"):
            if getattr(self, name).shape != (n,):
                raise DataError(f"{name} has shape {getattr(self, name).shape}, ({n},) expected.")
        if self.probabilities.shape != (n, len(self.classes)):
            raise DataError(
                f"probabilities have shape {self.probabilities.shape}, "
                f"({n}, {len(self.classes)}) expected."
            )
        p = self.probabilities[self.known]
        wrong = {
            "no recording, so it has no place on a timeline": self.sources == "",
            "no begin": ~np.isfinite(self.start_s),
            "no length": ~(np.isfinite(self.duration_s) & (self.duration_s > HAIR_S)),
        }
        for what, where in wrong.items():
            if where.any():
                raise DataError(f"a window has {what}.", where=f"window {int(where.argmax())}")
        if not ((p >= 0) & (p <= 1)).all():  # NaN is neither
            raise DataError("a probability is not within 0 and 1.")

    def __len__(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class Timeline:
    """N cells, one after another without a gap in every recording.

    Attributes
    ----------
    sources, subjects : ndarray, shape (N,), str
        Recordings are in the order of their names.
    start_s, end_s : ndarray, shape (N,)
        A cell ends where the next one of its recording begins.
    probabilities : ndarray, shape (N, K)
        NaN where unknown.
    windows : ndarray, shape (N,), int64
        Windows that say something of the cell; 0: unknown.
    classes : tuple of str, length K
    """

    sources: NDArray[np.str_]
    subjects: NDArray[np.str_]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    windows: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where a window with a sensor lies, (N,)."""
        return self.windows > 0

    def hours(self, *, known: bool) -> float:
        """Time in all recordings about which something, or nothing, is known."""
        length = (self.end_s - self.start_s)[self.known == known]
        return float(length.sum()) / 3600.0

    def recordings(self) -> Iterator[slice]:
        """The cells of one recording after the other."""
        borders = np.flatnonzero(self.sources[1:] != self.sources[:-1]) + 1
        edges = [0, *borders.tolist(), len(self)] if len(self) else [0]
        for first, last in pairwise(edges):
            yield slice(first, last)


def merge_windows(predictions: WindowPredictions) -> Timeline:
    """Average the probabilities of all windows that lie over a moment.

    A recording is divided where a window begins or ends, so that within a cell nothing changes
    and no grid has to be chosen. It reaches from the first begin to the last end of its windows.
    Windows without any sensor are left out; what only they cover, or none, is unknown.

    Parameters
    ----------
    predictions : WindowPredictions
        In any order.

    Returns
    -------
    Timeline

    Raises
    ------
    DataError
        Windows of one recording name several subjects.
    """
    names, owner = np.unique(predictions.sources, return_inverse=True)
    p = predictions
    columns: list[tuple[NDArray[np.float64], ...]] = []
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(len(names) + 1))
    firsts: list[int] = []
    for first, last in pairwise(edges.tolist()):
        rows = order[first:last]
        if (p.subjects[rows] != p.subjects[rows[0]]).any():
            raise DataError("one recording has several subjects.", where=str(p.sources[rows[0]]))
        columns.append(
            _merge(p.start_s[rows], p.duration_s[rows], p.probabilities[rows], p.known[rows])
        )
        firsts.append(int(rows[0]))
    counts = [len(c[0]) for c in columns]
    stacked = [np.concatenate(c) for c in zip(*columns, strict=True)] if columns else _nothing(p)
    start, end, probabilities, windows = stacked
    return Timeline(
        sources=np.repeat(names, counts) if counts else names,
        subjects=np.repeat(p.subjects[firsts], counts) if counts else p.subjects,
        start_s=start,
        end_s=end,
        probabilities=probabilities,
        windows=windows.astype(np.int64),
        classes=p.classes,
    )


def _merge(
    start: NDArray[np.float64],
    duration: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], ...]:
    """Begins, ends, probabilities and numbers of windows of one recording's cells."""
    end = start + duration
    bounds = np.array([start.min(), end.max()])
    start, end, p = start[known], end[known], probabilities[known].astype(np.float64)
    # One order whatever the caller's, so that sums are the same to the last bit.
    ordered = np.lexsort((*p.T, end, start))
    start, end, p = start[ordered], end[ordered], p[ordered]
    raw = np.sort(np.concatenate([bounds, start, end]))
    fresh = np.concatenate([[True], np.diff(raw) > HAIR_S])
    borders, cluster = raw[fresh], np.cumsum(fresh) - 1
    first = cluster[np.searchsorted(raw, start)]
    last = cluster[np.searchsorted(raw, end)]
    total = np.zeros((len(borders) - 1, p.shape[1]))
    count = np.zeros(len(borders) - 1)
    reach = np.cumsum(last - first)
    for part in _chunks(reach):
        length = (last - first)[part]
        window = np.repeat(np.arange(len(length)), length)
        cell = np.repeat(first[part], length) + np.arange(len(window))
        cell -= np.repeat(np.cumsum(length) - length, length)
        count += np.bincount(cell, minlength=len(count))
        for k in range(p.shape[1]):
            total[:, k] += np.bincount(cell, p[part][window, k], minlength=len(count))
    mean = np.full_like(total, np.nan)
    np.divide(total, count[:, None], out=mean, where=count[:, None] > 0)
    return borders[:-1], borders[1:], mean, count


def _chunks(reach: NDArray[np.int64]) -> Iterator[slice]:
    """Windows in order, as many at a time as have about a million cells (`reach`: cells so far)."""
    first = 0
    while first < len(reach):
        most = (reach[first - 1] if first else 0) + CHUNK_CELLS
        last = max(int(np.searchsorted(reach, most, side="right")), first + 1)
        yield slice(first, last)
        first = last


def _nothing(p: WindowPredictions) -> list[NDArray[np.float64]]:
    return [np.zeros(0), np.zeros(0), np.zeros((0, len(p.classes))), np.zeros(0)]
