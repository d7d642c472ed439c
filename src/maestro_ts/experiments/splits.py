"""How an experiment divides the people of a data set: folds, the owners' split, odd and even."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.split import split_by_source, subject_folds
from maestro_ts.signals.windows import Windows

__all__ = ["KINDS", "Split", "splits_of"]

KINDS = ("folds", "owners", "odd-even")
FOLDS = 5
FOLDS_OF = {"utd-mhad": 4}  # of eight people: two are tested at a time
ODD_EVEN = ("utd-mhad",)  # whose publications train on the odd subjects and test on the even ones


@dataclass(frozen=True)
class Split:
    """One division.

    Attributes
    ----------
    kind : str
    text : str
        How it was made, so that it can be made again.
    fold, of : int
        Which one of how many.
    train, test : (n,), integer index arrays
    """

    kind: str
    text: str
    fold: int
    of: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def splits_of(
    card: Card, windows: Windows, kind: str | None, chosen: Sequence[int] | None
) -> list[Split]:
    """The divisions of a data set.

    Parameters
    ----------
    card, windows : of the data set
    kind : {"folds", "owners", "odd-even"}, optional
        Without it: the owners' split where there is one, else folds by subject.
    chosen : sequence of int, optional
        Folds; without it all.

    Raises
    ------
    ConfigError
        A kind that the data set does not have, or a fold beyond the last.
    """
    if kind is None:
        kind = "folds" if card.owners_split is None else "owners"
    if kind == "folds":
        of = FOLDS_OF.get(card.name, FOLDS)
        text = f"GroupKFold({of}, shuffle=True, random_state=0) by subject"
        pairs = subject_folds(windows.subjects, of, seed=0)
    else:
        pair, text = _single(card, windows, kind)
        pairs = [pair]
    for k in chosen or ():
        if not 0 <= k < len(pairs):
            raise ConfigError(
                f"there is no fold {k}.", fix=f"They are numbered from 0 to {len(pairs) - 1}."
            )
    picked = range(len(pairs)) if chosen is None else sorted(set(chosen))
    return [Split(kind, text, k, len(pairs), *pairs[k]) for k in picked]


def _single(
    card: Card, windows: Windows, kind: str
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], str]:
    if kind not in KINDS:
        raise ConfigError(f"there is no split {kind!r}.", fix=f"Known: {', '.join(KINDS)}.")
    if kind == "owners":
        if card.owners_split is None:
            raise ConfigError(f"{card.name} has no split of its owners.", fix="Leave --split out.")
        first, second = card.owners_split
        pair = split_by_source(windows.sources, windows.subjects, card.owners_split)
        return pair, f"the owners': {first} trains, {second} tests"
    if card.name not in ODD_EVEN:
        raise ConfigError(
            f"{card.name} has no split into odd and even subjects.", fix="Leave --split out."
        )
    odd = np.array([_number(s) % 2 == 1 for s in windows.subjects])
    return (np.flatnonzero(odd), np.flatnonzero(~odd)), "odd subjects train, even ones test"


def _number(subject: str) -> int:
    found = re.search(r"(\d+)$", str(subject))
    if found is None:
        raise DataError(f"subject {subject} has no number.")
    return int(found[1])
