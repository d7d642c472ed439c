"""`Modality`: one kind of sensor signal; `Schema`: modalities in their one order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from maestro_ts.errors import DataError, nearest

__all__ = ["Modality", "Schema"]


@dataclass(frozen=True)
class Modality:
    """One kind of sensor signal with its own rate.

    Parameters
    ----------
    name : str
        Unique within a schema.
    channels : int
        Number of variates, e.g. 3 for a triaxial accelerometer.
    rate_hz : float or None
        Samples per second; None means irregular (every sample carries its time). A nominal
        rate may be given for a stream with times of its own.
    unit : str
        Physical unit, for humans.
    device : str
        What fails together (a wrist band carries several modalities); the name if empty.
    static : bool
        One value per window, no time axis (age, sex).
    """

    name: str
    channels: int = 1
    rate_hz: float | None = None
    unit: str = ""
    device: str = ""
    static: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise DataError(f"A modality needs a name, got {self.name!r}.")
        if int(self.channels) != self.channels or self.channels < 1:
            raise DataError(
                f"channels must be a whole number >= 1, got {self.channels!r}.",
                where=f"modality {self.name!r}",
            )
        object.__setattr__(self, "channels", int(self.channels))
        rate = self.rate_hz
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise DataError(
                f"rate_hz must be positive and finite, got {rate!r}.",
                where=f"modality {self.name!r}",
                fix="Use rate_hz=None for an irregular sensor.",
            )
        if not self.device:
            object.__setattr__(self, "device", self.name)


class Schema:
    """The modalities of a data set or model, ordered by name.

    The order never depends on the order in which modalities, columns or keys arrive.

    Parameters
    ----------
    modalities : iterable of Modality
    """

    def __init__(self, modalities: Iterable[Modality]) -> None:
        self.modalities = tuple(sorted(modalities, key=lambda m: m.name))
        if not self.modalities:
            raise DataError("A schema needs at least one modality.")
        names = [m.name for m in self.modalities]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise DataError(f"Modality names must be unique; given twice: {', '.join(twice)}.")
        self._index = {name: i for i, name in enumerate(names)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the one order."""
        return tuple(m.name for m in self.modalities)

    @property
    def devices(self) -> tuple[str, ...]:
        """Distinct devices, sorted."""
        return tuple(sorted({m.device for m in self.modalities}))

    def index(self, name: str) -> int:
        """Position of a modality; an unknown name proposes its neighbours."""
        if name not in self._index:
            raise DataError(f"Unknown modality {name!r}.", fix=nearest(name, self._index))
        return self._index[name]

    def __getitem__(self, name: str) -> Modality:
        return self.modalities[self.index(name)]

    def __iter__(self) -> Iterator[Modality]:
        return iter(self.modalities)

    def __len__(self) -> int:
        return len(self.modalities)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.modalities == other.modalities

    def __hash__(self) -> int:
        return hash(self.modalities)

    def __repr__(self) -> str:
        return f"Schema({', '.join(self.names)})"

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [asdict(m) for m in self.modalities]

    @classmethod
    def from_list(cls, rows: Iterable[Mapping[str, Any]]) -> Schema:
        """Rebuild from `to_list`."""
        return cls(Modality(**row) for row in rows)
