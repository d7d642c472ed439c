"""`Verdicts`: which sensors of which windows are to be believed, and what became of them since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.windows import Windows

__all__ = ["FAULTS", "VERDICTS", "Drift", "Verdicts"]

FAULTS = ("stuck", "saturated", "scale", "level")  # what is said if several are true: the first
VERDICTS = ("ok", *FAULTS, "missing")
_SIGNS = (0, 1, 3, 2)  # of each fault, in the order of `symbols.signs.SIGNS`


@dataclass(frozen=True)
class Drift:
    """How far a person's symbols of one sensor and view lie from training.

    Attributes
    ----------
    windows : int
        Of that person.
    distance, limit : float
        Jensen–Shannon, in [0, 1]; the furthest of the training people with as many windows, NaN
        where there was one person.
    """

    person: str
    modality: str
    view: str
    windows: int
    distance: float
    limit: float

    @property
    def drifted(self) -> bool:
        """Further from training than everybody in it was from the others."""
        return self.distance > self.limit


@dataclass(frozen=True)
class Verdicts:
    """What `Monitor.check` says.

    Attributes
    ----------
    windows : Windows
        As they were judged.
    codes : (n, M), uint8
        Places in `VERDICTS`.
    drifts : list of Drift
    people : int
        In training; of so many and one more, one is the furthest by chance.
    """

    windows: Windows
    codes: NDArray[np.uint8]
    drifts: list[Drift]
    people: int

    @classmethod
    def of(
        cls, windows: Windows, faults: NDArray[np.bool_], drifts: Sequence[Drift], people: int
    ) -> Verdicts:
        """From the signs out of bounds, (n, M, 4)."""
        ordered = faults[..., list(_SIGNS)]
        codes = np.where(ordered.any(axis=2), 1 + ordered.argmax(axis=2), 0)
        codes[~windows.present] = VERDICTS.index("missing")
        return cls(windows, codes.astype(np.uint8), list(drifts), people)

    @property
    def names(self) -> NDArray[np.str_]:
        """Verdicts as words, (n, M)."""
        return np.array(VERDICTS)[self.codes]

    @property
    def suspect(self) -> NDArray[np.bool_]:
        """Where a sensor is there and not to be believed, (n, M)."""
        return (self.codes > 0) & (self.codes <= len(FAULTS))

    @property
    def trusted(self) -> Windows:
        """The windows, with those sensors missing."""
        mask = Mask.nothing(*self.codes.shape)
        return hide(self.windows, replace(mask, keep=~self.suspect))

    def counts(self, name: str) -> dict[str, int]:
        """How many windows of a modality have each verdict."""
        own = np.bincount(self.codes[:, self.windows.schema.index(name)], minlength=len(VERDICTS))
        return dict(zip(VERDICTS, own.tolist(), strict=True))

    def told(self) -> list[str]:
        """A line for every sensor with a fault: in how many windows, and which faults."""
        lines = []
        for name in self.windows.schema.names:
            found = self.counts(name)
            wrong = [f"{found[fault]} {fault}" for fault in FAULTS if found[fault]]
            if wrong:
                total = sum(found[fault] for fault in FAULTS)
                there = len(self.windows) - found["missing"]
                lines.append(f"{name}: {total} of {there} windows ({', '.join(wrong)})")
        return lines
