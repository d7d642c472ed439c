"""`Verdicts`: which sensors of which windows have a fault, and which are not to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.signs import SIGNS

__all__ = ["BELIEVED", "DISTRUSTED", "FAULTS", "VERDICTS", "Drift", "Verdicts"]

# Sign out of bounds → what is said of it, and whether the sensor is then taken as missing. If
# several are true the first is said: a cause comes before what it entails (what clips moves less).
# What each is worth was measured: docs/trust.md.
_RULES = (
    ("stuck", "stuck", True),  # nothing comes, and it reads as rest
    # What is left of a clipped signal tells more than its absence, and sound sensors that rest on
    # a limit are most of the false alarms.
    ("saturated", "saturated", False),
    ("strength", "scale", True),  # another unit or a dead sensor: symbols of another activity
    ("level", "level", True),  # an offset or another unit: the same
)
FAULTS = tuple(fault for _, fault, _ in _RULES)
DISTRUSTED = tuple(fault for _, fault, distrusted in _RULES if distrusted)
BELIEVED = tuple(fault for _, fault, distrusted in _RULES if not distrusted)
VERDICTS = ("ok", *FAULTS, "missing")


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
        ordered = faults[..., [SIGNS.index(sign) for sign, _, _ in _RULES]]
        codes = np.where(ordered.any(axis=2), 1 + ordered.argmax(axis=2), 0)
        codes[~windows.present] = VERDICTS.index("missing")
        return cls(windows, codes.astype(np.uint8), list(drifts), people)

    @property
    def names(self) -> NDArray[np.str_]:
        """Verdicts as words, (n, M)."""
        return np.array(VERDICTS)[self.codes]

    @property
    def suspect(self) -> NDArray[np.bool_]:
        """Where a sensor is there and has a fault, (n, M)."""
        return (self.codes > 0) & (self.codes <= len(FAULTS))

    @property
    def distrusted(self) -> NDArray[np.bool_]:
        """Where the fault is one of those that cost more than the sensor's absence, (n, M)."""
        return np.isin(self.names, DISTRUSTED)

    @property
    def trusted(self) -> Windows:
        """The windows, with those sensors missing."""
        mask = Mask.nothing(*self.codes.shape)
        return hide(self.windows, replace(mask, keep=~self.distrusted))

    def counts(self, name: str) -> dict[str, int]:
        """How many windows of a modality have each verdict."""
        own = np.bincount(self.codes[:, self.windows.schema.index(name)], minlength=len(VERDICTS))
        return dict(zip(VERDICTS, own.tolist(), strict=True))

    def told(self, faults: Sequence[str] = FAULTS) -> list[str]:
        """A line for every sensor with one of these faults: in how many windows, and which."""
        lines = []
        for name in self.windows.schema.names:
            found = self.counts(name)
            wrong = [f"{found[fault]} {fault}" for fault in faults if found[fault]]
            if wrong:
                total = sum(found[fault] for fault in faults)
                there = len(self.windows) - found["missing"]
                lines.append(f"{name}: {total} of {there} windows ({', '.join(wrong)})")
        return lines
