"""Splits that keep every subject on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError

__all__ = ["split_by_source", "subject_folds", "subject_holdout"]


def subject_folds(
    subjects: Sequence[str] | NDArray[np.str_], n_folds: int, seed: int = 0
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """``GroupKFold(n_folds, shuffle=True, random_state=seed)`` over subjects.

    Returns
    -------
    list of (train, test) integer index arrays; every window is tested exactly once.
    """
    from sklearn.model_selection import GroupKFold

    subjects = np.asarray(subjects)
    n_subjects = len(np.unique(subjects))
    if n_subjects < n_folds:
        raise DataError(
            f"{n_folds} folds by subject need {n_folds} subjects, there are {n_subjects}.",
            fix="Ask for fewer folds, two at least, or give data of more subjects.",
        )
    folds = GroupKFold(n_folds, shuffle=True, random_state=seed)
    return list(folds.split(np.zeros(len(subjects)), groups=subjects))


def split_by_source(
    sources: Sequence[str] | NDArray[np.str_],
    subjects: Sequence[str] | NDArray[np.str_],
    parts: tuple[str, str],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The owners' own split: training and test windows by how their source begins.

    Returns
    -------
    (train, test) : integer index arrays; windows of neither part are in none of them.
    """
    names = np.asarray(sources)
    train, test = (np.flatnonzero(np.char.startswith(names, part)) for part in parts)
    for part, rows in zip(parts, (train, test), strict=True):
        if not len(rows):
            raise DataError(
                f"no window of the part {part!r} of the owners' split is in this data.",
                fix="Ask for a number of folds by subject instead.",
            )
    both = np.intersect1d(np.asarray(subjects)[train], np.asarray(subjects)[test])
    if len(both):
        raise DataError(f"{both[0]} is in both parts of the owners' split.")
    return train, test


def subject_holdout(
    subjects: NDArray[np.str_],
    share: float,
    rng: np.random.Generator,
    labels: NDArray[np.generic] | None = None,
    attempts: int = 200,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Hold out whole subjects until about `share` of the windows is held out.

    Of several random draws the one is kept whose held-out part is nearest in size to `share`
    and whose remaining part loses the fewest classes. Nothing but labels and subjects is read.

    Returns
    -------
    (kept, held) : integer index arrays
    """
    names, owner, sizes = np.unique(subjects, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"A split by subject needs two subjects, there is {len(names)}.",
            fix="Pass groups with more subjects, or set training.validation_share to 0.",
        )
    target = share * len(subjects)
    classes = None if labels is None else np.unique(labels, return_inverse=True)[1]
    best, best_cost = None, np.inf
    for _ in range(attempts):
        order = rng.permutation(len(names))
        size = np.cumsum(sizes[order])
        count = int(np.clip(np.argmin(np.abs(size - target)) + 1, 1, len(names) - 1))
        held = np.isin(owner, order[:count])
        cost = abs(held.sum() - target) / len(subjects)
        if classes is not None:
            total = classes.max() + 1
            cost += total - len(np.unique(classes[~held]))
            cost += 0.2 * (total - len(np.unique(classes[held]))) / total
        if cost < best_cost:
            best, best_cost = held, cost
    assert best is not None
    return np.flatnonzero(~best), np.flatnonzero(best)
