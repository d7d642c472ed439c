"""Which training subjects have labels, where only a few shall have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.windows import Windows

__all__ = ["labelled_subjects"]


def labelled_subjects(
    windows: Windows, train: NDArray[np.intp], count: int, rng: np.random.Generator
) -> tuple[str, ...]:
    """Subjects drawn from those of the training windows, in the order in which they were drawn.

    A generator of the same state draws nested sets: fewer subjects are the first of more.

    Parameters
    ----------
    windows : Windows
        Of the whole data set, labelled.
    train : (n,), integer index array
    count : int
        How many.

    Raises
    ------
    ConfigError
        There are fewer.
    DataError
        All windows of those that were drawn are of one class.
    """
    subjects = windows.subjects[train].astype(str)
    known = np.unique(subjects)
    if count > len(known):
        raise ConfigError(
            f"{count} subjects with labels are asked for, and a fold trains on {len(known)}.",
            fix="Name the entrants with fewer: --models maestro-1,maestro-pretrained-1",
        )
    drawn = tuple(str(s) for s in known[rng.permutation(len(known))[:count]])
    labels = np.asarray(windows.labels).astype(str)[train]
    if len(np.unique(labels[np.isin(subjects, drawn)])) < 2:
        raise DataError(
            f"all windows of {', '.join(drawn)} are of one class: nothing is learned from so few.",
            fix="Use a data set in which every subject has windows of several classes.",
        )
    return drawn
