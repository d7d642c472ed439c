"""Files of one recording → its streams on one clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import Layout, ModalityLayout, TimeUnit
from maestro_ts.signals.formats.table import Column, Kind, Table
from maestro_ts.signals.recording import Stream

__all__ = ["Raw", "Signals", "read_raw", "since", "to_seconds", "to_signals"]

PER_S = {"s": 1.0, "ms": 1e3, "us": 1e6, "datetime": 1.0}
# A clock that counts from 1970 makes a recording of 50 years that is empty but for its end.
LATEST_START_S = 1e7
FAR_S = 1e6


@dataclass(frozen=True)
class Raw:
    """One recording's tables, each file read once.

    Attributes
    ----------
    tables : dict of path to Table
    modalities : dict of modality to path
    """

    tables: dict[str, Table]
    modalities: dict[str, str]


@dataclass
class Signals:
    """Streams on the recording's clock.

    Attributes
    ----------
    streams : dict of modality to Stream
    zero_s : float
        Time in the files that became 0 s.
    notes : list of str
    """

    streams: dict[str, Stream] = field(default_factory=dict)
    zero_s: float = 0.0
    notes: list[str] = field(default_factory=list)


def read_raw(files: Files, layout: Layout, place: Place, label: tuple[str, Column] | None) -> Raw:
    """Read every file of a recording once; `label` is a modality and a column beside its samples.

    Raises
    ------
    FormatError
        With file and line.
    """
    wanted: dict[str, dict[Column, Kind]] = defaultdict(dict)
    for name, path in place.files.items():
        modality = layout.modalities[name]
        wanted[path] |= dict.fromkeys(modality.columns, "number")
        if modality.time is not None:
            moment = modality.time.unit == "datetime"
            wanted[path][modality.time.column] = "moment" if moment else "number"
        if label is not None and label[0] == name:
            wanted[path][label[1]] = "text"
    tables = {path: files.table(path, columns) for path, columns in wanted.items()}
    return Raw(tables, dict(place.files))


def to_signals(raw: Raw, layout: Layout) -> Signals:
    """Streams from tables: times in seconds, rising or equal, from the recording's zero.

    Raises
    ------
    FormatError
        With file and line: a sample without time, a time that goes back.
    """
    found = Signals(notes=[f"{t.where}: {n}" for t in raw.tables.values() for n in t.notes])
    times: dict[str, NDArray[np.float64]] = {}
    for name, path in raw.modalities.items():
        table, modality = raw.tables[path], layout.modalities[name]
        if not table.rows:
            found.notes.append(f"{name}: {path} has no rows, taken as absent.")
        elif modality.time is not None:
            times[name] = _times(table, modality)
    zeros = {n: float(t[0]) for n, t in times.items() if _starts_at_first(layout.modalities[n])}
    found.zero_s = min(zeros.values(), default=0.0)
    for name, path in raw.modalities.items():
        table, modality = raw.tables[path], layout.modalities[name]
        if not table.rows:
            continue
        values = np.stack([table.columns[c] for c in modality.columns], axis=1).astype(np.float32)
        stamps = times.get(name)
        if stamps is not None:
            if name in zeros:
                own = layout.clock == "start-aligned"
                stamps = since(stamps, zeros[name] if own else found.zero_s)
            _check_start(stamps, table)
            if stamps[0] < 0:
                early = int((stamps < 0).sum())
                found.notes.append(f"{name}: {early} samples before 0 s lie in no window.")
        found.streams[name] = Stream(values, modality.rate_hz, stamps)
    return found


def to_seconds(values: NDArray[np.float64], unit: TimeUnit) -> NDArray[np.float64]:
    """Times of a file in seconds, shape (T,)."""
    return values / PER_S[unit]


def since(stamps: NDArray[np.float64], zero_s: float) -> NDArray[np.float64]:
    """Times from a zero. Seconds since 1970 resolve 0.2 µs: rounding to 1 µs undoes that."""
    shifted: NDArray[np.float64] = stamps - zero_s
    return np.round(shifted, 6) if abs(zero_s) > FAR_S else shifted


def _starts_at_first(modality: ModalityLayout) -> bool:
    return modality.time is not None and modality.time.zero == "first-sample"


def _times(table: Table, modality: ModalityLayout) -> NDArray[np.float64]:
    assert modality.time is not None
    column = modality.time.column
    stamps: NDArray[np.float64] = table.columns[column]
    lacking = np.flatnonzero(np.isnan(stamps))
    if len(lacking):
        raise FormatError(f"no time in column {column!r}.", where=table.at(int(lacking[0])))
    back = np.flatnonzero(np.diff(stamps) < 0)
    if len(back):
        at = int(back[0])
        raise FormatError(
            f"the time goes back: {_shown(stamps[at])}, then {_shown(stamps[at + 1])}.",
            where=table.at(at + 1),
            fix="Sort the rows by time if their order in the file has no meaning.",
        )
    return to_seconds(stamps, modality.time.unit)


def _check_start(stamps: NDArray[np.float64], table: Table) -> None:
    if stamps[0] > LATEST_START_S:
        raise FormatError(
            f"the first sample is at {_shown(stamps[0])} s, the recording's clock counts from 0.",
            where=table.at(0),
            fix="Say zero: first-sample at its time in schema.yaml, or correct the unit.",
        )


def _shown(number: float) -> str:
    return np.format_float_positional(number, trim="-")
