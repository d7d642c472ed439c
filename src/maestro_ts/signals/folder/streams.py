"""Files of one recording → its streams on one clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import Layout, ModalityLayout, TimeUnit
from maestro_ts.signals.formats.signal_file import Request
from maestro_ts.signals.formats.table import Column, Kind, Table
from maestro_ts.signals.recording import Stream

__all__ = ["Raw", "Signals", "at_rate", "read_raw", "since", "to_seconds", "to_signals"]

# Of the rate: a clock that is off by more is another rate.
SAME_RATE = 5e-3
PER_S = {"s": 1.0, "ms": 1e3, "us": 1e6, "datetime": 1.0}
# A clock that counts from 1970 makes a recording of 50 years that is empty but for its end.
LATEST_START_S = 1e7
FAR_S = 1e6


@dataclass(frozen=True)
class Raw:
    """One recording's tables.

    Attributes
    ----------
    tables : dict of modality to Table
    """

    tables: dict[str, Table]


@dataclass
class Signals:
    """Streams on the recording's clock.

    Attributes
    ----------
    streams : dict of modality to Stream
    zero_s : float
        Time in the files that became 0 s.
    from_first : bool
        Whether the times in the files count from elsewhere.
    notes : list of str
    """

    streams: dict[str, Stream] = field(default_factory=dict)
    zero_s: float = 0.0
    from_first: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass
class _Times:
    """When the rows of a table were, in the file's own time: `stamps`, or a start and a rate."""

    from_first: bool
    stamps: NDArray[np.float64] | None = None
    start_s: float = 0.0
    rate_hz: float | None = None

    @property
    def first_s(self) -> float:
        return self.start_s if self.stamps is None else float(self.stamps[0])

    def shifted(self, zero_s: float) -> _Times:
        if self.stamps is not None:
            return replace(self, stamps=since(self.stamps, zero_s))
        return replace(self, start_s=float(since(np.array([self.start_s]), zero_s)[0]))


def read_raw(files: Files, layout: Layout, place: Place, label: tuple[str, Column] | None) -> Raw:
    """Read every file of a recording once; `label` is a modality and a column beside its samples.

    Raises
    ------
    FormatError
        With the file, and the line or sample.
    """
    asked: dict[tuple[str, str | None], dict[str, Request]] = defaultdict(dict)
    for name, path in place.files.items():
        modality = layout.modalities[name]
        wanted: dict[Column, Kind] = dict.fromkeys(modality.columns, "number")
        if modality.time is not None:
            moment = modality.time.unit == "datetime"
            wanted[modality.time.column] = "moment" if moment else "number"
        if label is not None and label[0] == name:
            wanted[label[1]] = "text"
        asked[path, modality.format][name] = Request(wanted, modality.stream)
    tables: dict[str, Table] = {}
    for (path, form), requests in asked.items():
        found = files.samples(path, form, list(requests.values()))
        tables |= dict(zip(requests, found, strict=True))
    return Raw({name: tables[name] for name in place.files})


def to_signals(raw: Raw, layout: Layout) -> Signals:
    """Streams from tables: times in seconds, rising or equal, from the recording's zero.

    Raises
    ------
    FormatError
        With the file, and the line or sample: one without time, a time that goes back, a rate that
        is not the one that the schema states.
    """
    told = dict.fromkeys(f"{t.where}: {n}" for t in raw.tables.values() for n in t.notes)
    found = Signals(notes=list(told))
    times: dict[str, _Times] = {}
    for name, table in raw.tables.items():
        if table.rows:
            times[name] = _times(table, layout.modalities[name])
        else:
            found.notes.append(f"{name}: {table.where} has no rows, taken as absent.")
    aligned = layout.clock == "start-aligned"
    if not aligned:
        times = _placed(times, raw, found.notes)
    zeros = {name: t.first_s for name, t in times.items() if t.from_first}
    found.zero_s, found.from_first = min(zeros.values(), default=0.0), bool(zeros)
    for name, when in times.items():
        table, modality = raw.tables[name], layout.modalities[name]
        if name in zeros:
            when = when.shifted(zeros[name] if aligned else found.zero_s)
        _check_start(when.first_s, table)
        values = np.stack([table.columns[c] for c in modality.columns], axis=1).astype(np.float32)
        stream = Stream(values, when.rate_hz, when.stamps, when.start_s)
        if modality.rate_hz is not None:
            stream = _at_stated(stream, modality.rate_hz, table)
        if when.first_s < 0:
            early = int((stream.sample_times() < 0).sum())
            found.notes.append(f"{name}: {early} samples before 0 s lie in no window.")
        found.streams[name] = stream
    return found


def at_rate(stream: Stream, rate_hz: float) -> Stream | None:
    """A stream whose nominal rate is another one, or None when that is too far away.

    A rate that a device measured differs a little from file to file. The samples stay where they
    are: they get time stamps if they had none.
    """
    if stream.rate_hz is None:
        return replace(stream, rate_hz=rate_hz)
    if stream.rate_hz == rate_hz:
        return stream
    if not np.isclose(stream.rate_hz, rate_hz, rtol=SAME_RATE, atol=0):
        return None
    if stream.times is None and np.isclose(stream.rate_hz, rate_hz, rtol=1e-9, atol=0):
        return replace(stream, rate_hz=rate_hz)
    return Stream(stream.values, rate_hz, stream.sample_times())


def to_seconds(values: NDArray[np.float64], unit: TimeUnit) -> NDArray[np.float64]:
    """Times of a file in seconds, shape (T,)."""
    return values / PER_S[unit]


def since(stamps: NDArray[np.float64], zero_s: float) -> NDArray[np.float64]:
    """Times from a zero. Seconds since 1970 resolve 0.2 µs: rounding to 1 µs undoes that."""
    shifted: NDArray[np.float64] = stamps - zero_s
    return np.round(shifted, 6) if abs(zero_s) > FAR_S else shifted


def _times(table: Table, modality: ModalityLayout) -> _Times:
    """By a column, or else by what the file says, or else from 0 s at the rate of the schema."""
    rate = modality.rate_hz
    if modality.time is not None:
        column, unit = modality.time.column, modality.time.unit
        stamps: NDArray[np.float64] = table.columns[column]
        _check_stamps(stamps, table, f" in column {column!r}")
        from_first = modality.time.zero == "first-sample"
        return _Times(from_first, to_seconds(stamps, unit), rate_hz=rate)
    if table.clock is not None:
        clock = table.clock
        if clock.times is not None:
            _check_stamps(clock.times, table, "")
        return _Times(clock.from_first, clock.times, clock.start_s, clock.rate_hz)
    if rate is None:
        raise FormatError(
            "the file tells neither rate nor times of its samples.",
            where=table.where,
            fix="Say rate_hz, or time (a column), in schema.yaml.",
        )
    return _Times(False, rate_hz=rate)


def _check_stamps(stamps: NDArray[np.float64], table: Table, of: str) -> None:
    lacking = np.flatnonzero(~np.isfinite(stamps))
    if len(lacking):
        raise FormatError(f"no time{of}.", where=table.at(int(lacking[0])))
    back = np.flatnonzero(np.diff(stamps) < 0)
    if len(back):
        at = int(back[0])
        raise FormatError(
            f"the time goes back: {_shown(stamps[at])}, then {_shown(stamps[at + 1])}.",
            where=table.at(at + 1),
            fix="Sort the rows by time if their order in the file has no meaning.",
        )


def _placed(times: dict[str, _Times], raw: Raw, notes: list[str]) -> dict[str, _Times]:
    """Move the files that state when they begin against the earliest of them."""
    clocks = {name: raw.tables[name].clock for name in times}
    begins = {n: c.begins_s for n, c in clocks.items() if c and c.begins_s is not None}
    first = min(begins.values(), default=0.0)
    placed = dict(times)
    for name, begin in begins.items():
        if begin - first > LATEST_START_S:
            raise FormatError(
                "by their headers the files of this recording begin years apart.",
                where=raw.tables[name].where,
                fix="If their dates mean nothing, say clock: start-aligned in schema.yaml.",
            )
        if begin > first:
            placed[name] = times[name].shifted(first - begin)
            later = f"{begin - first:g} s after the recording's first file"
            notes.append(f"{name}: {raw.tables[name].where} begins {later}.")
    return placed


def _at_stated(stream: Stream, rate_hz: float, table: Table) -> Stream:
    found = at_rate(stream, rate_hz)
    if found is None:
        raise FormatError(
            f"the rate is {stream.rate_hz:g} Hz, schema.yaml states {rate_hz:g}.",
            where=table.where,
            fix="Correct rate_hz in schema.yaml, or leave it out.",
        )
    return found


def _check_start(first_s: float, table: Table) -> None:
    if first_s > LATEST_START_S:
        raise FormatError(
            f"the first sample is at {_shown(first_s)} s, the recording's clock counts from 0.",
            where=table.at(0),
            fix="Say zero: first-sample at its time in schema.yaml, or correct the unit.",
        )


def _shown(number: float | np.floating) -> str:
    return np.format_float_positional(number, trim="-")
