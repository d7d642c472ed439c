"""Classes of what is missing: which modalities or else how many, and how much of the others.

What a model may claim depends on what it saw, so it is told apart where there are windows enough.
A device that is absent is the set of its modalities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.windows import Windows

__all__ = ["ENOUGH", "EVERYTHING", "assign", "choose", "lost_share"]

EVERYTHING = "everything"  # pooled
ENOUGH = 100  # windows, and as many subjects or nine in ten of all, for a class of its own
LOST = {"": 0.05, "up to a quarter lost": 0.25, "up to half lost": 0.5, "over half lost": np.inf}

Texts = NDArray[np.str_]


def lost_share(windows: Windows) -> NDArray[np.float64]:
    """Share of the samples that is lost, averaged over the present modalities with time, (n,)."""
    total, streams = np.zeros(len(windows)), np.zeros(len(windows))
    for m, modality in enumerate(windows.schema):
        if modality.static:
            continue
        piece = windows.samples[modality.name]
        there = windows.present[:, m]
        total += np.where(there, 1.0 - piece.valid_counts() / np.maximum(piece.lengths, 1), 0.0)
        streams += there
    return np.asarray(total / np.maximum(streams, 1.0))


def choose(
    present: NDArray[np.bool_],
    lost: NDArray[np.float64],
    subjects: Texts,
    names: Sequence[str],
) -> dict[str, NDArray[np.intp]]:
    """Classes with enough windows and subjects, and the rows of each; the last is of all windows.

    Windows whose modalities absent are no class of their own are pooled with those that lack as
    many; where these are few, they have the thresholds of all.

    Parameters
    ----------
    present : (n, M)
    lost : (n,)
        See `lost_share`.
    subjects : (n,)
    names : M names
    """
    asked = min(ENOUGH, int(np.ceil(0.9 * len(np.unique(subjects)))))
    found: dict[str, NDArray[np.intp]] = {}
    left = np.ones(len(present), dtype=bool)
    exact, counted, back = _labels(present, lost, names)
    for labels in (exact, counted):
        texts, number = np.unique(labels, return_inverse=True)
        mine = number[back]
        many = np.bincount(mine[left], minlength=len(texts)) >= ENOUGH
        for i in np.flatnonzero(many):
            rows = np.flatnonzero(left & (mine == i))
            if len(np.unique(subjects[rows])) >= asked:
                found[str(texts[i])] = rows
                left[rows] = False
    return found | {EVERYTHING: np.arange(len(present))}


def assign(
    present: NDArray[np.bool_],
    lost: NDArray[np.float64],
    names: Sequence[str],
    known: Iterable[str],
) -> Texts:
    """The class of every window among those known, (n,)."""
    exact, counted, back = _labels(present, lost, names)
    known = set(known)
    chosen = [
        by_name if by_name in known else by_number if by_number in known else EVERYTHING
        for by_name, by_number in zip(exact, counted, strict=True)
    ]
    return np.array(chosen, dtype=np.str_)[back]


def _labels(
    present: NDArray[np.bool_], lost: NDArray[np.float64], names: Sequence[str]
) -> tuple[list[str], list[str], NDArray[np.intp]]:
    """What is missing in words, by name and by number, of all different windows; and which each is.

    With many modalities nearly every window may be another: texts are compared once for each.
    """
    words = list(LOST)
    how_much = np.searchsorted(list(LOST.values()), lost)
    rows, inverse = np.unique(
        np.column_stack([present, how_much]).astype(np.int64), axis=0, return_inverse=True
    )
    exact, counted = [], []
    for *there, much in rows.tolist():
        absent = [n for n, is_there in zip(names, there, strict=True) if not is_there]
        more = f"; {words[much]}" if much else ""
        exact.append((f"without {', '.join(absent)}" if absent else "nothing absent") + more)
        counted.append(f"{len(absent)} absent" + more)
    return exact, counted, inverse.reshape(-1)
